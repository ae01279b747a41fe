// The simpler choice: a key in the webhook's address. Whoever may read the action group can read the key.

@description('Required. The name of the function app.')
param appName string

@description('Required. The key that action groups call with.')
@secure()
@minLength(32)
param key string

// Azure publishes no type for host keys, so Bicep cannot check this one: https://learn.microsoft.com/azure/azure-functions/functions-infrastructure-as-code
#disable-next-line BCP081
resource hostKey 'Microsoft.Web/sites/host/functionKeys@2025-03-01' = {
  name: '${appName}/default/action-group'
  properties: { name: 'action-group', value: key }
}
