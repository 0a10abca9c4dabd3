package rbachelpers

// GroupName is the API group.
const GroupName = "rbac.authorization.k8s.io"
