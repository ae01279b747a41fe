"""Alert in, ticket out. The folder in the order of the way that an alert goes:

`alert_received` puts it into the queue · `dispatch` gives each queue message to its story · `backup_failed`, `backup_recovered`
and `many_failed` write down what is true of an incident or a storm · `ticket_due` brings its ticket up to that ·
`sweep`, `canary` (timers) and `last_resort` (poison queue) find what was missed · `wiring` makes everything, from `settings`

`alerts` reads what sources send · `diagnosis` tells which error it is and which causes apply, from `facts` (read in Azure)
by `causes` (pure checks) · `runbook` makes the page · `tickets` posts it · `records` keeps rows, documents and the queue ·
`azure` reaches Azure · `model` holds the nouns · `cli` is `python -m handlers`
"""
