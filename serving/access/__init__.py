"""Who may ask for what and how often: API keys, scopes, rate limits, and which teams a caller may see."""

from serving.access.caller import Caller, Scope

__all__ = ["Caller", "Scope"]
