"""The embedded servers: PostgreSQL and NATS from their wheels, and the mailbox, each a child of the process that starts it."""
