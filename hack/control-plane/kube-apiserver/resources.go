package main

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// resource describes a built-in resource served from a generic registry.
type resource struct {
	gv               schema.GroupVersion
	plural, singular string
	short            []string
	categories       []string
	obj, list        runtime.Object
	cluster          bool // not namespaced
	status, scale    bool // subresources
	generation       bool // metadata.generation is kept even where the bridge does not know the kind
}

func (r *resource) gr() schema.GroupResource {
	return schema.GroupResource{Group: r.gv.Group, Resource: r.plural}
}

var all = []string{"all"}

var resources = []*resource{
	{gv: corev1.SchemeGroupVersion, plural: "configmaps", singular: "configmap", short: []string{"cm"}, obj: &corev1.ConfigMap{}, list: &corev1.ConfigMapList{}},
	{gv: corev1.SchemeGroupVersion, plural: "endpoints", singular: "endpoints", short: []string{"ep"}, obj: &corev1.Endpoints{}, list: &corev1.EndpointsList{}},
	{gv: corev1.SchemeGroupVersion, plural: "events", singular: "event", short: []string{"ev"}, obj: &corev1.Event{}, list: &corev1.EventList{}},
	{gv: corev1.SchemeGroupVersion, plural: "limitranges", singular: "limitrange", short: []string{"limits"}, obj: &corev1.LimitRange{}, list: &corev1.LimitRangeList{}},
	{gv: corev1.SchemeGroupVersion, plural: "namespaces", singular: "namespace", short: []string{"ns"}, cluster: true, status: true, obj: &corev1.Namespace{}, list: &corev1.NamespaceList{}},
	{gv: corev1.SchemeGroupVersion, plural: "nodes", singular: "node", short: []string{"no"}, cluster: true, status: true, obj: &corev1.Node{}, list: &corev1.NodeList{}},
	{gv: corev1.SchemeGroupVersion, plural: "persistentvolumes", singular: "persistentvolume", short: []string{"pv"}, cluster: true, status: true, obj: &corev1.PersistentVolume{}, list: &corev1.PersistentVolumeList{}},
	{gv: corev1.SchemeGroupVersion, plural: "persistentvolumeclaims", singular: "persistentvolumeclaim", short: []string{"pvc"}, status: true, obj: &corev1.PersistentVolumeClaim{}, list: &corev1.PersistentVolumeClaimList{}},
	{gv: corev1.SchemeGroupVersion, plural: "pods", singular: "pod", short: []string{"po"}, categories: all, status: true, obj: &corev1.Pod{}, list: &corev1.PodList{}},
	{gv: corev1.SchemeGroupVersion, plural: "podtemplates", singular: "podtemplate", obj: &corev1.PodTemplate{}, list: &corev1.PodTemplateList{}},
	{gv: corev1.SchemeGroupVersion, plural: "replicationcontrollers", singular: "replicationcontroller", short: []string{"rc"}, categories: all, status: true, scale: true, obj: &corev1.ReplicationController{}, list: &corev1.ReplicationControllerList{}},
	{gv: corev1.SchemeGroupVersion, plural: "resourcequotas", singular: "resourcequota", short: []string{"quota"}, status: true, obj: &corev1.ResourceQuota{}, list: &corev1.ResourceQuotaList{}},
	{gv: corev1.SchemeGroupVersion, plural: "secrets", singular: "secret", obj: &corev1.Secret{}, list: &corev1.SecretList{}},
	{gv: corev1.SchemeGroupVersion, plural: "serviceaccounts", singular: "serviceaccount", short: []string{"sa"}, obj: &corev1.ServiceAccount{}, list: &corev1.ServiceAccountList{}},
	{gv: corev1.SchemeGroupVersion, plural: "services", singular: "service", short: []string{"svc"}, categories: all, status: true, obj: &corev1.Service{}, list: &corev1.ServiceList{}},

	{gv: appsv1.SchemeGroupVersion, plural: "controllerrevisions", singular: "controllerrevision", obj: &appsv1.ControllerRevision{}, list: &appsv1.ControllerRevisionList{}},
	{gv: appsv1.SchemeGroupVersion, plural: "daemonsets", singular: "daemonset", short: []string{"ds"}, categories: all, status: true, obj: &appsv1.DaemonSet{}, list: &appsv1.DaemonSetList{}},
	{gv: appsv1.SchemeGroupVersion, plural: "deployments", singular: "deployment", short: []string{"deploy"}, categories: all, status: true, scale: true, obj: &appsv1.Deployment{}, list: &appsv1.DeploymentList{}},
	{gv: appsv1.SchemeGroupVersion, plural: "replicasets", singular: "replicaset", short: []string{"rs"}, categories: all, status: true, scale: true, obj: &appsv1.ReplicaSet{}, list: &appsv1.ReplicaSetList{}},
	{gv: appsv1.SchemeGroupVersion, plural: "statefulsets", singular: "statefulset", short: []string{"sts"}, categories: all, status: true, scale: true, obj: &appsv1.StatefulSet{}, list: &appsv1.StatefulSetList{}},

	{gv: batchv1.SchemeGroupVersion, plural: "jobs", singular: "job", categories: all, status: true, generation: true, obj: &batchv1.Job{}, list: &batchv1.JobList{}},
	{gv: batchv1.SchemeGroupVersion, plural: "cronjobs", singular: "cronjob", short: []string{"cj"}, categories: all, status: true, generation: true, obj: &batchv1.CronJob{}, list: &batchv1.CronJobList{}},
	{gv: autoscalingv2.SchemeGroupVersion, plural: "horizontalpodautoscalers", singular: "horizontalpodautoscaler", short: []string{"hpa"}, categories: all, status: true, obj: &autoscalingv2.HorizontalPodAutoscaler{}, list: &autoscalingv2.HorizontalPodAutoscalerList{}},
	{gv: policyv1.SchemeGroupVersion, plural: "poddisruptionbudgets", singular: "poddisruptionbudget", short: []string{"pdb"}, status: true, generation: true, obj: &policyv1.PodDisruptionBudget{}, list: &policyv1.PodDisruptionBudgetList{}},

	{gv: networkingv1.SchemeGroupVersion, plural: "ingresses", singular: "ingress", short: []string{"ing"}, status: true, obj: &networkingv1.Ingress{}, list: &networkingv1.IngressList{}},
	{gv: networkingv1.SchemeGroupVersion, plural: "ingressclasses", singular: "ingressclass", cluster: true, obj: &networkingv1.IngressClass{}, list: &networkingv1.IngressClassList{}},
	{gv: networkingv1.SchemeGroupVersion, plural: "networkpolicies", singular: "networkpolicy", short: []string{"netpol"}, obj: &networkingv1.NetworkPolicy{}, list: &networkingv1.NetworkPolicyList{}},

	{gv: rbacv1.SchemeGroupVersion, plural: "roles", singular: "role", obj: &rbacv1.Role{}, list: &rbacv1.RoleList{}},
	{gv: rbacv1.SchemeGroupVersion, plural: "rolebindings", singular: "rolebinding", obj: &rbacv1.RoleBinding{}, list: &rbacv1.RoleBindingList{}},
	{gv: rbacv1.SchemeGroupVersion, plural: "clusterroles", singular: "clusterrole", cluster: true, obj: &rbacv1.ClusterRole{}, list: &rbacv1.ClusterRoleList{}},
	{gv: rbacv1.SchemeGroupVersion, plural: "clusterrolebindings", singular: "clusterrolebinding", cluster: true, obj: &rbacv1.ClusterRoleBinding{}, list: &rbacv1.ClusterRoleBindingList{}},

	{gv: coordinationv1.SchemeGroupVersion, plural: "leases", singular: "lease", obj: &coordinationv1.Lease{}, list: &coordinationv1.LeaseList{}},
	{gv: discoveryv1.SchemeGroupVersion, plural: "endpointslices", singular: "endpointslice", obj: &discoveryv1.EndpointSlice{}, list: &discoveryv1.EndpointSliceList{}},
	{gv: schedulingv1.SchemeGroupVersion, plural: "priorityclasses", singular: "priorityclass", short: []string{"pc"}, cluster: true, obj: &schedulingv1.PriorityClass{}, list: &schedulingv1.PriorityClassList{}},
	{gv: storagev1.SchemeGroupVersion, plural: "storageclasses", singular: "storageclass", short: []string{"sc"}, cluster: true, obj: &storagev1.StorageClass{}, list: &storagev1.StorageClassList{}},
	{gv: storagev1.SchemeGroupVersion, plural: "csidrivers", singular: "csidriver", cluster: true, obj: &storagev1.CSIDriver{}, list: &storagev1.CSIDriverList{}},
	{gv: storagev1.SchemeGroupVersion, plural: "csinodes", singular: "csinode", cluster: true, obj: &storagev1.CSINode{}, list: &storagev1.CSINodeList{}},
	{gv: storagev1.SchemeGroupVersion, plural: "volumeattachments", singular: "volumeattachment", cluster: true, status: true, obj: &storagev1.VolumeAttachment{}, list: &storagev1.VolumeAttachmentList{}},
	{gv: nodev1.SchemeGroupVersion, plural: "runtimeclasses", singular: "runtimeclass", cluster: true, obj: &nodev1.RuntimeClass{}, list: &nodev1.RuntimeClassList{}},
	{gv: certificatesv1.SchemeGroupVersion, plural: "certificatesigningrequests", singular: "certificatesigningrequest", short: []string{"csr"}, cluster: true, status: true, obj: &certificatesv1.CertificateSigningRequest{}, list: &certificatesv1.CertificateSigningRequestList{}},

	{gv: admissionregistrationv1.SchemeGroupVersion, plural: "validatingwebhookconfigurations", singular: "validatingwebhookconfiguration", categories: []string{"api-extensions"}, cluster: true, obj: &admissionregistrationv1.ValidatingWebhookConfiguration{}, list: &admissionregistrationv1.ValidatingWebhookConfigurationList{}},
	{gv: admissionregistrationv1.SchemeGroupVersion, plural: "mutatingwebhookconfigurations", singular: "mutatingwebhookconfiguration", categories: []string{"api-extensions"}, cluster: true, obj: &admissionregistrationv1.MutatingWebhookConfiguration{}, list: &admissionregistrationv1.MutatingWebhookConfigurationList{}},
	{gv: admissionregistrationv1.SchemeGroupVersion, plural: "validatingadmissionpolicies", singular: "validatingadmissionpolicy", categories: []string{"api-extensions"}, cluster: true, status: true, generation: true, obj: &admissionregistrationv1.ValidatingAdmissionPolicy{}, list: &admissionregistrationv1.ValidatingAdmissionPolicyList{}},
	{gv: admissionregistrationv1.SchemeGroupVersion, plural: "validatingadmissionpolicybindings", singular: "validatingadmissionpolicybinding", categories: []string{"api-extensions"}, cluster: true, generation: true, obj: &admissionregistrationv1.ValidatingAdmissionPolicyBinding{}, list: &admissionregistrationv1.ValidatingAdmissionPolicyBindingList{}},
	{gv: admissionregistrationv1.SchemeGroupVersion, plural: "mutatingadmissionpolicies", singular: "mutatingadmissionpolicy", categories: []string{"api-extensions"}, cluster: true, generation: true, obj: &admissionregistrationv1.MutatingAdmissionPolicy{}, list: &admissionregistrationv1.MutatingAdmissionPolicyList{}},
	{gv: admissionregistrationv1.SchemeGroupVersion, plural: "mutatingadmissionpolicybindings", singular: "mutatingadmissionpolicybinding", categories: []string{"api-extensions"}, cluster: true, generation: true, obj: &admissionregistrationv1.MutatingAdmissionPolicyBinding{}, list: &admissionregistrationv1.MutatingAdmissionPolicyBindingList{}},

	{gv: flowcontrolv1.SchemeGroupVersion, plural: "flowschemas", singular: "flowschema", cluster: true, status: true, generation: true, obj: &flowcontrolv1.FlowSchema{}, list: &flowcontrolv1.FlowSchemaList{}},
	{gv: flowcontrolv1.SchemeGroupVersion, plural: "prioritylevelconfigurations", singular: "prioritylevelconfiguration", cluster: true, status: true, generation: true, obj: &flowcontrolv1.PriorityLevelConfiguration{}, list: &flowcontrolv1.PriorityLevelConfigurationList{}},
}
