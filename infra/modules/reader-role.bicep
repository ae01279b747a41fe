// The one role that the app has on a customer's subscription, and its assignment. Its actions are what the facts need: `make docs` writes reader-actions.json.
// Each subscription has a definition of its own, so that one that is no longer watched keeps no other from being deployed.
targetScope = 'subscription'

@description('Required. What tells this installation from others: part of the role\'s name.')
param installation string

@description('Required. The object id of the app\'s identity.')
param principalId string

// Unique in the tenant, as Azure asks: https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties
var roleName = 'Backup Runbooks Reader (${installation}, ${subscription().subscriptionId})'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, roleName)
  properties: {
    roleName: roleName
    description: 'Reads what explains a failed backup of a virtual machine. Changes nothing, reads no data and no secret.'
    type: 'CustomRole'
    permissions: [{ actions: loadJsonContent('../reader-actions.json'), notActions: [], dataActions: [], notDataActions: [] }]
    assignableScopes: [subscription().id]
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, role.name)
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: role.id }
}
