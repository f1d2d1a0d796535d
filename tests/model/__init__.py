"""Who may see and do what, said a second time: an independent judge of the product.

Nothing in here imports the product. The tables state what the rules say (permission matrix, R02, R05, R07-R09, R14, R21-R23, R26,
R31), not what some policy.py does; tests/e2e/test_matrix.py asks the running system and compares.

- `words`: verdicts, actors, things, and the kinds of rows a table is made of.
- `cast`: the actors, and the things of two organizations that they try to see and to change.
- `identity`, `directory`, `insurance`, `referrals`, `reporting`: one table for each service.
- `test_classified`: fails for an operation, a field, an entity or an RPC that no table knows.

You add an operation to a service? Add its row to the service's table here:

- a mutation: `Verb("renameOffice", "R16", "office", may=client_admin, given={"name": "x", **STALE})`. Its id goes to the argument
  `officeId` (else say `at=`). `given` is the rest of the input, made so that somebody who may do it is refused afterwards for
  another reason, `then` (STALE_VERSION unless said): so the matrix sees that the door was open and nothing is changed. Somebody
  who may not is refused before that with the same input, or the policy comes too late.
- a query of one thing: `Ask("office", "R16", "office", shown=own_or_shown)`; of many: `List("offices", "R02", "office", lists=own)`.
- a field of a thing that not everybody sees who sees the thing: a line in `HIDDEN`; any other field: its name in `FIELDS`.
- an entity, an RPC, a subscription: a line in `ENTITIES`, `RPCS`, `SUBSCRIPTIONS`.

A predicate is a function of an actor and a thing; `words` has the usual ones. What cannot be asked by a table (signing in, say)
is a row `Elsewhere("signIn", "R05", "where it is judged")`: visible, and with its reason.
"""
