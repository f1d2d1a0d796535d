"""The HTTP edge: GraphQL over HTTP, server-sent events and WebSocket, each over the same stages."""
