# Sourced by ops/run and ops/test: a virtual environment with the locked packages.
# An active virtual environment is used; without one, .venv in the checkout is made.
# The variable `extra` says what to install besides: nothing, or [test].

set -eu
cd "$(dirname "$0")/.."

python=python3
for newer in python3.13 python3.12 python3.11; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    python=$newer
done

venv=${VIRTUAL_ENV:-$PWD/.venv}
if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv"
fi

# Installed, and the loops of the mix compiled, once per content of the files that say what to
# install.
stamp=$venv/.astradio-stream$extra
wanted=$(cat pyproject.toml requirements.lock | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint requirements.lock --editable ".$extra"
    "$venv/bin/python" -c "from astradio_stream.server.banks import compile_kernels as c; c()"
    printf '%s\n' "$wanted" >"$stamp"
fi
PATH=$venv/bin:$PATH
