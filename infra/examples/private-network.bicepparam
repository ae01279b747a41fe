// A network and DNS zones of a hub, a key vault of the platform team: nothing of storage or secrets is reached from the internet.
using '../main.bicep'

param environmentName = 'prod'
param ticketUrl = 'https://tickets.example.com/hook'
param ticketSecret = readEnvironmentVariable('TICKET_SECRET', '')
param alertsClientId = readEnvironmentVariable('ALERTS_CLIENT_ID', '')
param alertsObjectId = readEnvironmentVariable('ALERTS_OBJECT_ID', '')
param operatorEmails = ['backup-team@example.com']
param isPrivate = true
param onlyActionGroups = true
param keyVaultId = readEnvironmentVariable('KEY_VAULT_ID')
param network = {
  id: readEnvironmentVariable('NETWORK_ID')
  appSubnetId: '${readEnvironmentVariable('NETWORK_ID')}/subnets/backup-runbooks'
  endpointSubnetId: '${readEnvironmentVariable('NETWORK_ID')}/subnets/endpoints'
}
param privateDnsZones = {
  blob: '${readEnvironmentVariable('ZONES_ID')}/privatelink.blob.core.windows.net'
  queue: '${readEnvironmentVariable('ZONES_ID')}/privatelink.queue.core.windows.net'
  table: '${readEnvironmentVariable('ZONES_ID')}/privatelink.table.core.windows.net'
  vault: '${readEnvironmentVariable('ZONES_ID')}/privatelink.vaultcore.azure.net'
}
