"""The service's log: one JSON object per line, without any value of a request.

Messages of exceptions are left out, since they may repeat a value; a line has the kind of the exception and where it
was raised.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from serving.telemetry.request_ids import REQUEST_ID

FIELDS = ("method", "route", "status", "ms", "key_id")
"""Further members in the line of a request."""


class JsonLines(logging.Formatter):
    """Turns a record into one line of JSON.

    Example:
        >>> record = logging.LogRecord("regroup", logging.INFO, "", 0, "ready", None, None)
        >>> json.loads(JsonLines().format(record))["message"]
        'ready'
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; times are UTC."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            line["exception"] = kind.__name__
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
        return json.dumps(line, ensure_ascii=False)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "serving.telemetry.logs.JsonLines"}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["lines"], "level": "WARNING"},
    "loggers": {"regroup": {"level": "INFO"}},
}
"""The argument of `logging.config.dictConfig` in every process of the service."""
