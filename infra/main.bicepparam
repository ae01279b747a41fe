// azd reads its own environment (azd env set NAME value); az reads the shell's. Only TICKET_URL and, for Entra, what entra.sh prints must be set.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'prod')
param tickets = {
  url: readEnvironmentVariable('TICKET_URL')
  target: readEnvironmentVariable('TICKET_TARGET', 'webhook')
  user: readEnvironmentVariable('TICKET_USER', '')
  options: json(readEnvironmentVariable('TICKET_OPTIONS', '{}'))
  routes: json(readEnvironmentVariable('TICKET_ROUTES', '[]'))
}
param ticketSecret = readEnvironmentVariable('TICKET_SECRET', '')

// [{"id": "<subscription>", "resourceGroup": "<group in it>", "vaults": ["<resource id>"]}]; empty: this subscription
param watched = json(readEnvironmentVariable('WATCHED', '[]'))
param workspaceId = readEnvironmentVariable('WORKSPACE_ID', '')

param alertsAuth = readEnvironmentVariable('ALERTS_AUTH', 'entra')
param alertsClientId = readEnvironmentVariable('ALERTS_CLIENT_ID', '')
param alertsObjectId = readEnvironmentVariable('ALERTS_OBJECT_ID', '')
param alertsKey = readEnvironmentVariable('ALERTS_KEY', '')

param fallbackEmails = json(readEnvironmentVariable('FALLBACK_EMAILS', '[]'))
param operatorEmails = json(readEnvironmentVariable('OPERATOR_EMAILS', '[]'))
param behave = { runbookLanguage: readEnvironmentVariable('RUNBOOK_LANGUAGE', 'en') }
