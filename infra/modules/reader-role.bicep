// The one role that the app has on customers' subscriptions. Its actions are what the facts need: `make docs` writes reader-actions.json from the code.
targetScope = 'subscription'

@description('Required. The name of the role: unique in the tenant.')
param roleName string

@description('Required. The ids of the subscriptions that it can be assigned in.')
param subscriptionIds string[]

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(tenant().tenantId, roleName)
  properties: {
    roleName: roleName
    description: 'Reads what explains a failed backup of a virtual machine. Changes nothing, reads no data and no secret.'
    type: 'CustomRole'
    permissions: [{ actions: loadJsonContent('../reader-actions.json'), notActions: [], dataActions: [], notDataActions: [] }]
    assignableScopes: map(union([subscription().subscriptionId], subscriptionIds), id => '/subscriptions/${id}')
  }
}

@description('The role\'s name as Azure knows it: a GUID, the same in every subscription.')
output roleId string = role.name
