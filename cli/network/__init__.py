"""The suite as its users see it: the public GraphQL endpoint, people who sign in, their mail. Demo, seed and import use it."""

from cli.network.client import AnswerError, Client, Refused
from cli.network.people import Person, Postbox

__all__ = ["AnswerError", "Client", "Person", "Postbox", "Refused"]
