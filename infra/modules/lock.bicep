// Nothing in the resource group can be deleted, neither by hand nor by `azd down`, before this lock is.

resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'backup-runbooks'
  properties: { level: 'CanNotDelete', notes: 'Backup Runbooks: incidents, documents and secrets of the running app.' }
}
