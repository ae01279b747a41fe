// The ticketing system, and the rules that send tickets to several: the members of a rule are those of docs/routes.md.

@export()
@description('A ticketing system: the name of a file in handlers/tickets, from which `make docs` writes this type.')
type systemName = 'azure_devops' | 'github' | 'gitlab' | 'jira' | 'jira_data_center' | 'jira_service_management' | 'pagerduty' | 'redmine' | 'redmine_markdown' | 'redmine_redcarpet' | 'request_tracker' | 'roundup' | 'servicenow' | 'slack' | 'slack_webhook' | 'teams' | 'webhook' | 'zendesk'

@export()
@description('The ticketing system, as docs/tickets says.')
type ticketSystem = {
  @description('Optional. Which system it is: the name of a file in handlers/tickets. Default: webhook.')
  target: systemName?

  @description('Optional. The text of a file of one\'s own instead of a bundled one.')
  targetFile: string?

  @description('Optional. The user that belongs to the secret, where the system asks for one.')
  user: string?

  @description('Optional. What else its file asks for: project, queue, labels and so on.')
  options: object?

  @description('Optional. Rules that send tickets to other systems, or nowhere, as docs/routes.md says.')
  routes: ticketRoute[]?

  @description('Optional. Windows during which nothing is posted, as docs/routes.md says.')
  maintenance: object[]?

  @description('Optional. The name of a tag that says of a VM, its resource group or its vault until when it is in maintenance. Default: none.')
  maintenanceTag: string?

  @description('Optional. Where a secret lies that the routes name and that is not in the app\'s key vault: by the name of the setting its address (Secret Identifier, without a version) in another vault that the app may read.')
  secretAddresses: { *: string }?

  @description('Optional. Hosts to which tickets may go over plain http.')
  httpHosts: string[]?
}

@export()
@description('A rule of TICKET_ROUTES: what it is for, and either a target or why nothing is posted.')
type ticketRoute = {
  @description('Optional. Conditions, all of which must hold. Default: it is for every ticket.')
  when: routeCondition?

  @description('Conditional. The system, or default for the one that main.bicep names. Required unless drop is given.')
  target: (systemName | 'default')?

  @description('Optional. What the target is called, which must stay. Two targets of one system need names of their own. Default: as target.')
  name: string?

  @description('Optional. Its address, if that is no secret. Default: that of the default target, with its user and secret.')
  url: string?

  @description('Optional. The name of the setting that holds its address, if that is a secret: TICKET_URL_ and more. It lies in the key vault.')
  url_setting: string?

  @description('Optional. The user that belongs to the secret.')
  user: string?

  @description('Optional. The name of the setting that holds its secret: TICKET_SECRET_ and more. It lies in the key vault.')
  secret_setting: string?

  @description('Optional. The text of a file of one\'s own instead of a bundled one.')
  target_file: string?

  @description('Optional. What else its file asks for.')
  options: object?

  @description('Optional. The next rules are tried, too. Default: false.')
  also: bool?

  @description('Conditional. Why nothing is posted. Required unless target is given.')
  drop: string?
}

@export()
@description('When a rule is for a ticket. Of a condition\'s values one is enough; in a pattern `*` and `?` stand for anything.')
type routeCondition = {
  @description('Optional. Ids of subscriptions.')
  subscription: string[]?

  @description('Optional. Patterns for the name or the resource id of the vault.')
  vault: string[]?

  @description('Optional. By the name of a tag patterns for its value.')
  tag: { *: string[] }?

  @description('Optional. Patterns for the error code.')
  code: string[]?

  @description('Optional. Severities.')
  severity: ('Sev0' | 'Sev1' | 'Sev2' | 'Sev3' | 'Sev4')[]?

  @description('Optional. What the ticket is about.')
  kind: ('incident' | 'storm' | 'unreadable' | 'canary')[]?
}
