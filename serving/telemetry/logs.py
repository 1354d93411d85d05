"""The service's log: one JSON object per line, without anything that a request said.

Messages of exceptions are left out, since they may repeat a value; where an exception came from is told.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from serving.telemetry.request_ids import REQUEST_ID

FIELDS = ("method", "route", "status", "ms", "key_id")
"""What the line of a request has beyond every line's members."""


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
            kind, _, at = record.exc_info
            line["exception"] = kind.__name__
            line["where"] = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(at)]
        return json.dumps(line, ensure_ascii=False)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "serving.telemetry.logs.JsonLines"}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["lines"], "level": "WARNING"},
    "loggers": {"regroup": {"level": "INFO"}},
}
"""For `logging.config.dictConfig`; every process of the service is given it."""
