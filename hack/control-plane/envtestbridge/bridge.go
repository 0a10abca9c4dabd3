// Package envtestbridge gives a newer API server access to the defaulting, the
// strategies and the validation of the Kubernetes release whose tree this
// package is compiled in. Objects cross the boundary as JSON, because the two
// sides use different copies of the API types.
package envtestbridge

import (
	"context"
	"encoding/json"
	"fmt"
	"net"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	utilfeature "k8s.io/apiserver/pkg/util/feature"

	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/certificates/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/extensions/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"

	"k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/apps/controllerrevision"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/certificates/certificates"
	"k8s.io/kubernetes/pkg/registry/coordination/lease"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/endpoint"
	"k8s.io/kubernetes/pkg/registry/core/event"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolume"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/podtemplate"
	"k8s.io/kubernetes/pkg/registry/core/replicationcontroller"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/discovery/endpointslice"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/ingressclass"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/node/runtimeclass"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrole"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
	"k8s.io/kubernetes/pkg/registry/storage/csidriver"
	"k8s.io/kubernetes/pkg/registry/storage/csinode"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"
	"k8s.io/kubernetes/pkg/registry/storage/volumeattachment"
)

// Strategy is what both create and update strategies of this release offer.
type strategy interface {
	rest.RESTCreateStrategy
	rest.RESTUpdateStrategy
}

type entry struct {
	gv, hub schema.GroupVersion
	kind    string
	main    strategy
	subs    map[string]rest.RESTUpdateStrategy
}

// Request says for whom and for which request a strategy runs.
type Request struct {
	User                                                    string
	Groups                                                  []string
	Namespace, Name, Verb, Group, Version, Resource, Subres string
}

// FieldError is a field.Error in transportable form.
type FieldError struct {
	Type, Field, Detail string
	Value               interface{}
}

var entries = map[string]*entry{}

func add(resource, version, kind string, s strategy, subs map[string]rest.RESTUpdateStrategy) {
	gr := schema.ParseGroupResource(resource)
	entries[resource] = &entry{
		gv:   schema.GroupVersion{Group: gr.Group, Version: version},
		hub:  schema.GroupVersion{Group: gr.Group, Version: runtime.APIVersionInternal},
		kind: kind, main: s, subs: subs,
	}
}

func status(s rest.RESTUpdateStrategy) map[string]rest.RESTUpdateStrategy {
	return map[string]rest.RESTUpdateStrategy{"status": s}
}

func init() {
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(map[string]bool{"AllAlpha": true, "AllBeta": true}); err != nil {
		panic(err)
	}
	_, cidr, _ := net.ParseCIDR("10.96.0.0/12")
	svc, _ := service.StrategyForServiceCIDRs(*cidr, false)

	add("configmaps", "v1", "ConfigMap", configmap.Strategy, nil)
	add("endpoints", "v1", "Endpoints", endpoint.Strategy, nil)
	add("events", "v1", "Event", event.Strategy, nil)
	add("limitranges", "v1", "LimitRange", limitrange.Strategy, nil)
	add("namespaces", "v1", "Namespace", namespace.Strategy, map[string]rest.RESTUpdateStrategy{"status": namespace.StatusStrategy, "finalize": namespace.FinalizeStrategy})
	add("nodes", "v1", "Node", node.Strategy, status(node.StatusStrategy))
	add("persistentvolumes", "v1", "PersistentVolume", persistentvolume.Strategy, status(persistentvolume.StatusStrategy))
	add("persistentvolumeclaims", "v1", "PersistentVolumeClaim", persistentvolumeclaim.Strategy, status(persistentvolumeclaim.StatusStrategy))
	add("pods", "v1", "Pod", pod.Strategy, status(pod.StatusStrategy))
	add("podtemplates", "v1", "PodTemplate", podtemplate.Strategy, nil)
	add("replicationcontrollers", "v1", "ReplicationController", replicationcontroller.Strategy, status(replicationcontroller.StatusStrategy))
	add("resourcequotas", "v1", "ResourceQuota", resourcequota.Strategy, status(resourcequota.StatusStrategy))
	add("secrets", "v1", "Secret", secret.Strategy, nil)
	add("services", "v1", "Service", svc, status(service.NewServiceStatusStrategy(svc)))
	add("serviceaccounts", "v1", "ServiceAccount", serviceaccount.Strategy, nil)

	add("controllerrevisions.apps", "v1", "ControllerRevision", controllerrevision.Strategy, nil)
	add("daemonsets.apps", "v1", "DaemonSet", daemonset.Strategy, status(daemonset.StatusStrategy))
	add("deployments.apps", "v1", "Deployment", deployment.Strategy, status(deployment.StatusStrategy))
	add("replicasets.apps", "v1", "ReplicaSet", replicaset.Strategy, status(replicaset.StatusStrategy))
	add("statefulsets.apps", "v1", "StatefulSet", statefulset.Strategy, status(statefulset.StatusStrategy))

	add("jobs.batch", "v1", "Job", job.Strategy, status(job.StatusStrategy))
	add("cronjobs.batch", "v1beta1", "CronJob", cronjob.Strategy, status(cronjob.StatusStrategy))
	add("horizontalpodautoscalers.autoscaling", "v2beta2", "HorizontalPodAutoscaler", horizontalpodautoscaler.Strategy, status(horizontalpodautoscaler.StatusStrategy))
	add("poddisruptionbudgets.policy", "v1beta1", "PodDisruptionBudget", poddisruptionbudget.Strategy, status(poddisruptionbudget.StatusStrategy))

	add("ingresses.networking.k8s.io", "v1", "Ingress", ingress.Strategy, status(ingress.StatusStrategy))
	add("ingressclasses.networking.k8s.io", "v1", "IngressClass", ingressclass.Strategy, nil)
	add("networkpolicies.networking.k8s.io", "v1", "NetworkPolicy", networkpolicy.Strategy, nil)

	add("roles.rbac.authorization.k8s.io", "v1", "Role", role.Strategy, nil)
	add("rolebindings.rbac.authorization.k8s.io", "v1", "RoleBinding", rolebinding.Strategy, nil)
	add("clusterroles.rbac.authorization.k8s.io", "v1", "ClusterRole", clusterrole.Strategy, nil)
	add("clusterrolebindings.rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", clusterrolebinding.Strategy, nil)

	add("leases.coordination.k8s.io", "v1", "Lease", lease.Strategy, nil)
	add("endpointslices.discovery.k8s.io", "v1beta1", "EndpointSlice", endpointslice.Strategy, nil)
	add("priorityclasses.scheduling.k8s.io", "v1", "PriorityClass", priorityclass.Strategy, nil)
	add("storageclasses.storage.k8s.io", "v1", "StorageClass", storageclass.Strategy, nil)
	add("csidrivers.storage.k8s.io", "v1", "CSIDriver", csidriver.Strategy, nil)
	add("csinodes.storage.k8s.io", "v1", "CSINode", csinode.Strategy, nil)
	add("volumeattachments.storage.k8s.io", "v1", "VolumeAttachment", volumeattachment.Strategy, status(volumeattachment.StatusStrategy))
	add("runtimeclasses.node.k8s.io", "v1", "RuntimeClass", runtimeclass.Strategy, nil)
	add("certificatesigningrequests.certificates.k8s.io", "v1", "CertificateSigningRequest", certificates.Strategy,
		map[string]rest.RESTUpdateStrategy{"status": certificates.StatusStrategy, "approval": certificates.ApprovalStrategy})
	add("validatingwebhookconfigurations.admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", validatingwebhookconfiguration.Strategy, nil)
	add("mutatingwebhookconfigurations.admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", mutatingwebhookconfiguration.Strategy, nil)
}

// Has says whether a resource ("plural.group", "plural" for the core group) is known here.
func Has(resource string) bool { return entries[resource] != nil }

func (e *entry) external(data []byte) (runtime.Object, error) {
	obj, err := legacyscheme.Scheme.New(e.gv.WithKind(e.kind))
	if err != nil {
		return nil, err
	}
	return obj, json.Unmarshal(data, obj)
}

func (e *entry) decode(data []byte) (runtime.Object, error) {
	obj, err := e.external(data)
	if err != nil {
		return nil, err
	}
	legacyscheme.Scheme.Default(obj)
	return legacyscheme.Scheme.ConvertToVersion(obj, e.hub)
}

// marshal leaves kind and version out: they are not the same on the other side.
func marshal(obj runtime.Object) ([]byte, error) {
	obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return json.Marshal(obj)
}

func (e *entry) encode(obj runtime.Object) ([]byte, error) {
	ext, err := legacyscheme.Scheme.ConvertToVersion(obj, e.gv)
	if err != nil {
		return nil, err
	}
	return marshal(ext)
}

// reencode returns what this release knows of an object, without defaults.
func (e *entry) reencode(data []byte) ([]byte, error) {
	obj, err := e.external(data)
	if err != nil {
		return nil, err
	}
	return marshal(obj)
}

func (r Request) context() context.Context {
	ctx := genericapirequest.WithNamespace(context.Background(), r.Namespace)
	ctx = genericapirequest.WithUser(ctx, &user.DefaultInfo{Name: r.User, Groups: r.Groups})
	return genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		IsResourceRequest: true, Verb: r.Verb, APIPrefix: "apis", APIGroup: r.Group, APIVersion: r.Version,
		Namespace: r.Namespace, Resource: r.Resource, Subresource: r.Subres, Name: r.Name,
	})
}

func convertErrors(list field.ErrorList) []FieldError {
	var out []FieldError
	for _, e := range list {
		v := e.BadValue
		switch v.(type) {
		case nil, string, bool, int, int32, int64, float64:
		default:
			v = fmt.Sprintf("%v", v)
		}
		out = append(out, FieldError{Type: string(e.Type), Field: e.Field, Detail: e.Detail, Value: v})
	}
	return out
}

// Default returns the object as this release reads it, before and after defaulting.
func Default(resource string, data []byte) (before, after []byte, err error) {
	e := entries[resource]
	obj, err := e.external(data)
	if err != nil {
		return nil, nil, err
	}
	if before, err = marshal(obj); err != nil {
		return nil, nil, err
	}
	legacyscheme.Scheme.Default(obj)
	after, err = marshal(obj)
	return before, after, err
}

// PrepareForCreate returns the object as this release reads it, before and after its PrepareForCreate.
func PrepareForCreate(resource string, r Request, data []byte) (before, after []byte, err error) {
	e := entries[resource]
	obj, err := e.decode(data)
	if err != nil {
		return nil, nil, err
	}
	if before, err = e.reencode(data); err != nil {
		return nil, nil, err
	}
	e.main.PrepareForCreate(r.context(), obj)
	after, err = e.encode(obj)
	return before, after, err
}

// ValidateCreate validates a new object, and returns it before and after (some validation sets fields).
func ValidateCreate(resource string, r Request, data []byte) (errs []FieldError, before, after []byte, err error) {
	e := entries[resource]
	obj, err := e.decode(data)
	if err != nil {
		return nil, nil, nil, err
	}
	if before, err = e.reencode(data); err != nil {
		return nil, nil, nil, err
	}
	errs = convertErrors(e.main.Validate(r.context(), obj))
	rest.RESTCreateStrategy(e.main).Canonicalize(obj)
	after, err = e.encode(obj)
	return errs, before, after, err
}

func (e *entry) update(sub string) rest.RESTUpdateStrategy {
	if s := e.subs[sub]; s != nil {
		return s
	}
	return e.main
}

// PrepareForUpdate returns the new object before and after the PrepareForUpdate of the (sub)resource.
func PrepareForUpdate(resource, sub string, r Request, data, old []byte) (before, after []byte, err error) {
	e := entries[resource]
	obj, err := e.decode(data)
	if err != nil {
		return nil, nil, err
	}
	oldObj, err := e.decode(old)
	if err != nil {
		return nil, nil, err
	}
	if before, err = e.reencode(data); err != nil {
		return nil, nil, err
	}
	e.update(sub).PrepareForUpdate(r.context(), obj, oldObj)
	after, err = e.encode(obj)
	return before, after, err
}

// ValidateUpdate validates an update of the (sub)resource, and returns the object before and after.
func ValidateUpdate(resource, sub string, r Request, data, old []byte) (errs []FieldError, before, after []byte, err error) {
	e := entries[resource]
	obj, err := e.decode(data)
	if err != nil {
		return nil, nil, nil, err
	}
	oldObj, err := e.decode(old)
	if err != nil {
		return nil, nil, nil, err
	}
	if before, err = e.reencode(data); err != nil {
		return nil, nil, nil, err
	}
	s := e.update(sub)
	errs = convertErrors(s.ValidateUpdate(r.context(), obj, oldObj))
	s.Canonicalize(obj)
	after, err = e.encode(obj)
	return errs, before, after, err
}

// AllowCreateOnUpdate and AllowUnconditionalUpdate are the settings of the resource.
func AllowCreateOnUpdate(resource string) bool { return entries[resource].main.AllowCreateOnUpdate() }
func AllowUnconditionalUpdate(resource string) bool {
	return entries[resource].main.AllowUnconditionalUpdate()
}
