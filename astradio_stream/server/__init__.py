"""The shell: Starlette, uvicorn, asyncio, threads, metrics and logs."""
