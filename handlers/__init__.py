"""Alert in, ticket out. The folder in the order of the way that an alert goes:

`alert_received` puts it into the queue · `dispatch` gives each queue message to its story: `alert_queued`, `reminded` ·
`backup_failed`, `read_again`, `backup_recovered`, `many_failed` and `members_diagnosed` write down what is true · `ticket_due`
brings the ticket up to that · `sweep`, `canary` (timers) and `last_resort` (poison queue) find what was missed · `page_opened` shows what is stored,
`checked_again` and `storm_checked_again` what is different now, `job_asked` how the newest backup is going

`alerts` reads what sources send · `diagnosis` tells which error it is and which causes apply, from `facts` (read in Azure) by
`causes` (pure checks) · `runbook` makes the page · `tickets` posts it · `web` shows it · `records` keeps rows, documents and the queue ·
`azure` reaches Azure · `model` holds the nouns · `cli` is `python -m handlers` · `agents` are tools for agents (`agent_asked` in the
deployed app) · `wiring` makes everything, from `settings`
"""
