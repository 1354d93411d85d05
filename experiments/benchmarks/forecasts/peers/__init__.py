"""Published models of the next response, and plain rules, fitted and read in one way."""

from experiments.benchmarks.forecasts.peers.bkt import fit_bkt
from experiments.benchmarks.forecasts.peers.counts import fit_best_lr, fit_majority, fit_pfa, fit_rule
from experiments.benchmarks.forecasts.peers.item_response import fit_item_response, fit_item_response_online
from experiments.benchmarks.forecasts.peers.responses import Fitted, Peer, Responses, to_responses

__all__ = ["PEERS", "Fitted", "Peer", "Responses", "to_responses"]

PEERS = (
    Peer("majority", "The share correct in training, for everyone.", fit_majority),
    Peer("rule", "How many of the student's last three answers on the skill were correct.", fit_rule),
    Peer("item_response", "How easy the item is; every student counts as average.", fit_item_response),
    Peer(
        "item_response_online",
        "How easy the item is, and how able the student's earlier answers say the student is.",
        fit_item_response_online,
    ),
    Peer("pfa", "Performance factors analysis: wins and fails on the skill.", fit_pfa),
    Peer("best_lr", "Easiness of item and skill; attempts and wins on both and in total.", fit_best_lr),
    Peer("bkt", "Bayesian knowledge tracing: a skill is known or not, and may be learned.", fit_bkt),
)
"""Every peer, plain ones first."""
