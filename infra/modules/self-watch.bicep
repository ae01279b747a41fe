// The app watched from outside itself, by what it logs. Operators are told by e-mail: never through the app.

@description('Required. Azure region: the workspace\'s.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. The name of the function app, by which its log lines are found.')
param appName string

@description('Required. The resource id of the workspace.')
param workspaceId string

@description('Required. The resource id of the action group of the operators. Empty: the alerts are only to be seen in the portal.')
param operatorsId string

@description('Required. A canary is sent each day, so that its absence means something.')
param hasCanary bool

var always = [
  {
    name: 'alert-set-aside'
    about: 'An alert could not become the ticket that it should. A plain ticket was tried instead; what not even that was taken for lies in the container alerts under unposted/.'
    query: loadTextContent('../queries/alert_set_aside.kql')
    severity: 1
    window: 'PT1H'
  }
  {
    name: 'ticket-not-posted'
    about: 'The ticket system refused a change of a ticket. Look at TICKET_URL, TICKET_SECRET and TICKET_OPTIONS.'
    query: loadTextContent('../queries/ticket_not_posted.kql')
    severity: 2
    window: 'PT1H'
  }
  {
    name: 'queue-age'
    about: 'Alerts wait for more than 15 minutes before they become tickets: the ticket system is down or slow, or the app cannot keep up.'
    query: loadTextContent('../queries/queue_age.kql')
    severity: 2
    window: 'PT1H'
  }
  {
    name: 'azure-unread'
    about: 'The app cannot read the vaults of a watched subscription: is its reader role assigned there?'
    query: loadTextContent('../queries/azure_unread.kql')
    severity: 2
    window: 'P1D'
  }
  {
    name: 'failure-alerts-off'
    about: 'A watched vault has its built-in alerts for failed jobs off (Vault, Properties, Monitoring settings): its failures are told by the sweep only, later.'
    query: loadTextContent('../queries/failure_alerts_off.kql')
    severity: 3
    window: 'P1D'
  }
]
var canary = {
  name: 'canary-missing'
  about: 'The daily test alert did not arrive: alerts may get lost. It fires as well while the app is not deployed yet.'
  query: loadTextContent('../queries/canary_missing.kql')
  severity: 1
  window: 'P2D'
}

module rule 'log-alert.bicep' = [
  for watch in concat(always, hasCanary ? [canary] : []): {
    params: {
      name: '${appName}-${watch.name}'
      about: watch.about
      location: location
      tags: tags
      query: replace(watch.query, '{app}', appName)
      workspaceId: workspaceId
      actionGroupIds: empty(operatorsId) ? [] : [operatorsId]
      severity: watch.severity
      every: 'PT15M'
      window: watch.window
    }
  }
]
