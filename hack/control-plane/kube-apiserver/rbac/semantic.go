package rbac

import "k8s.io/apimachinery/pkg/api/equality"

// Semantic compares objects.
var Semantic = equality.Semantic
