"""The application's OpenAPI contract, with the bodies of errors as parts that generated clients can name."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from serving.refusals import problem_schemas


class Service(FastAPI):
    """An application whose contract holds what its error answers refer to."""

    def openapi(self) -> dict[str, Any]:
        """The contract; made once."""
        contract = super().openapi()
        contract["components"]["schemas"].update(problem_schemas())
        return contract


def name_operation(route: APIRoute) -> str:
    """What a generated client calls a route: the name of its function."""
    return route.name
