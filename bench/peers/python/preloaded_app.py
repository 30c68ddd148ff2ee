"""The Flask service for `gunicorn --preload`: imports are shared copy-on-write. A session made before the fork would hang."""

import tensorflow  # noqa: F401

from flask_app import app  # noqa: F401
