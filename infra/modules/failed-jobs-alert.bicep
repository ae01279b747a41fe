// Failed backups and restores in the vaults' logs: tells what the built-in alerts leave out, such as a backup that was still running or a VM that is gone.

@description('Required. What tells this installation from others: part of every rule\'s name.')
param installation string

@description('Required. Azure region: the workspace\'s.')
param location string

@description('Required. Tags of the resource.')
param tags object

@description('Required. The resource id of the workspace.')
param workspaceId string

@description('Required. The resource ids of the action groups: the app\'s, and others that are told as well.')
param actionGroupIds string[]

module rule 'log-alert.bicep' = {
  params: {
    name: 'backup-runbooks-failed-jobs-${installation}'
    about: 'A backup or a restore of a virtual machine failed.'
    location: location
    tags: tags
    query: loadTextContent('../queries/failed_jobs.kql')
    workspaceId: workspaceId
    actionGroupIds: actionGroupIds
    severity: 1
    every: 'PT15M'
    window: 'P1D' // a job may be logged long after it ran; the query itself takes only what came in lately
    dimensions: ['JobUniqueId', 'JobOperation', 'JobFailureCode', 'BackupItemUniqueId', 'VaultResourceId']
    resourceIdColumn: '_ResourceId'
    isStateful: false
  }
}
