"""The bodies about a team's people: how adults grow, what students wish for, and who asks for help."""
