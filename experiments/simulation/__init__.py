"""A simulated school whose truth is known: who masters what, how hard each item is, and a log that hides it.

Students differ in ability (general, per strand, per skill), in how fast they learn, how often they work and whether
they guess rapidly. They answer items of the unit their team works on, learn by practice the faster the readier
they are, and forget between sessions. Some never get three in a row within ten attempts: that is struggle, and
nothing in the simulation decides it but the answers themselves.
"""

from experiments.simulation.command import compare_command, simulate_command
from experiments.simulation.config import Behavior, SchoolConfig, like_assistments
from experiments.simulation.resemblance import compare, summarize
from experiments.simulation.school import School, simulate_school
from experiments.simulation.writing import write_school

__all__ = [
    "Behavior",
    "School",
    "SchoolConfig",
    "compare",
    "compare_command",
    "like_assistments",
    "simulate_command",
    "simulate_school",
    "summarize",
    "write_school",
]
