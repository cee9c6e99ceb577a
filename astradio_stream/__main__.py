"""`python -m astradio_stream` is the command `astradio-stream`."""

import sys

from astradio_stream.cli import main

sys.exit(main())
