"""Who may ask for what, how often and how much, and the record of who did."""

from serving.access.caller import Caller, Scope

__all__ = ["Caller", "Scope"]
