// The reader role for all subscriptions below a management group, instead of one assignment for each: deploy main.bicep with assignReaderRole false, then this.
targetScope = 'managementGroup'

@description('Required. The object id of the app\'s identity: main.bicep\'s output IDENTITY_PRINCIPAL_ID.')
@minLength(36)
@maxLength(36)
param principalId string

@description('Optional. The name of the role: unique in the tenant.')
param roleName string = 'Backup Runbooks Reader (${managementGroup().name})'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(managementGroup().id, roleName)
  properties: {
    roleName: roleName
    description: 'Reads what explains a failed backup of a virtual machine. Changes nothing, reads no data and no secret.'
    type: 'CustomRole'
    permissions: [{ actions: loadJsonContent('reader-actions.json'), notActions: [], dataActions: [], notDataActions: [] }]
    assignableScopes: [managementGroup().id]
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, principalId, roleName)
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: role.id }
}
