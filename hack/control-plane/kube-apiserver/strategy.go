package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"net"
	"reflect"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/envtestbridge"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// strategy is the create, update and delete strategy of a resource or of one of its subresources.
type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator
	*resource
	sub string
}

func newStrategy(r *resource, sub string) strategy {
	return strategy{Scheme, names.SimpleNameGenerator, r, sub}
}

func (s strategy) key() string           { return s.gr().String() }
func (s strategy) NamespaceScoped() bool { return !s.cluster }
func (s strategy) AllowCreateOnUpdate() bool {
	return envtestbridge.Has(s.key()) && envtestbridge.AllowCreateOnUpdate(s.key())
}
func (s strategy) AllowUnconditionalUpdate() bool {
	return !envtestbridge.Has(s.key()) || envtestbridge.AllowUnconditionalUpdate(s.key())
}
func (s strategy) WarningsOnCreate(context.Context, runtime.Object) []string { return nil }
func (s strategy) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}
func (s strategy) Canonicalize(runtime.Object) {}

func fieldOf(obj runtime.Object, name string) (reflect.Value, bool) {
	v := reflect.ValueOf(obj).Elem().FieldByName(name)
	return v, v.IsValid()
}

func copyField(to, from runtime.Object, name string) {
	t, ok1 := fieldOf(to, name)
	f, ok2 := fieldOf(from.DeepCopyObject(), name)
	if ok1 && ok2 {
		t.Set(f)
	}
}

func (s strategy) PrepareForCreate(ctx context.Context, obj runtime.Object) {
	if s.status {
		if v, ok := fieldOf(obj, "Status"); ok {
			v.Set(reflect.Zero(v.Type()))
		}
	}
	if svc, ok := obj.(*corev1.Service); ok {
		allocate(svc)
	}
	if envtestbridge.Has(s.key()) {
		data, _ := json.Marshal(obj)
		before, after, err := envtestbridge.PrepareForCreate(s.key(), bridgeRequest(ctx), data)
		if err == nil {
			err = mergeBack(obj, data, before, after)
		}
		if err != nil {
			klog.ErrorS(err, "PrepareForCreate", "resource", s.key())
		}
	}
	if s.generation {
		m, _ := meta.Accessor(obj)
		m.SetGeneration(1)
	}
}

func (s strategy) PrepareForUpdate(ctx context.Context, obj, old runtime.Object) {
	switch {
	case s.sub == "" && s.status:
		copyField(obj, old, "Status")
	case s.sub == "status":
		copyField(obj, old, "Spec")
	}
	if svc, ok := obj.(*corev1.Service); ok && s.sub == "" {
		keepAllocation(svc, old.(*corev1.Service))
	}
	if envtestbridge.Has(s.key()) {
		data, _ := json.Marshal(obj)
		oldData, _ := json.Marshal(old)
		before, after, err := envtestbridge.PrepareForUpdate(s.key(), s.sub, bridgeRequest(ctx), data, oldData)
		if err == nil {
			err = mergeBack(obj, data, before, after)
		}
		if err != nil {
			klog.ErrorS(err, "PrepareForUpdate", "resource", s.key())
		}
	}
	if s.sub == "" { // changes of fields that the bridge does not know count as well
		m, _ := meta.Accessor(obj)
		o, _ := meta.Accessor(old)
		nv, ok1 := fieldOf(obj, "Spec")
		ov, ok2 := fieldOf(old, "Spec")
		if ok1 && ok2 && o.GetGeneration() > 0 && m.GetGeneration() <= o.GetGeneration() {
			m.SetGeneration(o.GetGeneration())
			if !equality.Semantic.DeepEqual(nv.Interface(), ov.Interface()) {
				m.SetGeneration(o.GetGeneration() + 1)
			}
		}
	}
}

func (s strategy) Validate(ctx context.Context, obj runtime.Object) field.ErrorList {
	if !envtestbridge.Has(s.key()) {
		return nil
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return bridgeErrors(nil, err)
	}
	errs, before, after, err := envtestbridge.ValidateCreate(s.key(), bridgeRequest(ctx), data)
	if err == nil && len(errs) == 0 {
		err = mergeBack(obj, data, before, after)
	}
	return bridgeErrors(errs, err)
}

func (s strategy) ValidateUpdate(ctx context.Context, obj, old runtime.Object) field.ErrorList {
	if !envtestbridge.Has(s.key()) {
		return nil
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return bridgeErrors(nil, err)
	}
	oldData, err := json.Marshal(old)
	if err != nil {
		return bridgeErrors(nil, err)
	}
	errs, before, after, err := envtestbridge.ValidateUpdate(s.key(), s.sub, bridgeRequest(ctx), data, oldData)
	if err == nil && len(errs) == 0 {
		err = mergeBack(obj, data, before, after)
	}
	return bridgeErrors(errs, err)
}

func (s strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	if !s.status {
		return nil
	}
	reset := "status"
	if s.sub == "status" {
		reset = "spec"
	}
	return map[fieldpath.APIVersion]*fieldpath.Set{
		fieldpath.APIVersion(s.gv.String()): fieldpath.NewSet(fieldpath.MakePathOrDie(reset)),
	}
}

// DefaultGarbageCollectionPolicy is to orphan the pods of jobs and replication controllers.
func (s strategy) DefaultGarbageCollectionPolicy(context.Context) rest.GarbageCollectionPolicy {
	if s.plural == "jobs" || s.plural == "replicationcontrollers" {
		return rest.OrphanDependents
	}
	return rest.DeleteDependents
}

// podStrategy adds graceful deletion.
type podStrategy struct{ strategy }

func (podStrategy) CheckGracefulDelete(_ context.Context, obj runtime.Object, options *metav1.DeleteOptions) bool {
	if options == nil {
		return false
	}
	pod := obj.(*corev1.Pod)
	period := ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, 0)
	if options.GracePeriodSeconds != nil {
		period = *options.GracePeriodSeconds
	}
	if pod.Spec.NodeName == "" || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		period = 0
	}
	options.GracePeriodSeconds = &period
	return true
}

// allocate gives a service its cluster IP and node ports. There is no record of
// what is in use: addresses are drawn from a large range and serve nobody.
func allocate(svc *corev1.Service) {
	svc.Spec.IPFamilies = nil
	if svc.Spec.Type == corev1.ServiceTypeExternalName {
		return
	}
	if len(svc.Spec.ClusterIPs) > 0 && svc.Spec.ClusterIP == "" {
		svc.Spec.ClusterIP = svc.Spec.ClusterIPs[0]
	}
	if svc.Spec.ClusterIP == "" {
		ip := make(net.IP, 4)
		copy(ip, serviceCIDR.IP.To4())
		n := rand.Uint32()
		for i := range ip {
			ip[i] |= byte(n>>(8*(3-i))) &^ serviceCIDR.Mask[i]
		}
		svc.Spec.ClusterIP = ip.String()
	}
	svc.Spec.ClusterIPs = []string{svc.Spec.ClusterIP}
	svc.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
	if svc.Spec.IPFamilyPolicy == nil {
		svc.Spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicySingleStack)
	}
	if svc.Spec.InternalTrafficPolicy == nil {
		svc.Spec.InternalTrafficPolicy = ptr.To(corev1.ServiceInternalTrafficPolicyCluster)
	}
	if svc.Spec.Type == corev1.ServiceTypeNodePort || svc.Spec.Type == corev1.ServiceTypeLoadBalancer {
		for i := range svc.Spec.Ports {
			if svc.Spec.Ports[i].NodePort == 0 {
				svc.Spec.Ports[i].NodePort = 30000 + rand.Int31n(2768)
			}
		}
	}
}

func keepAllocation(svc, old *corev1.Service) {
	if svc.Spec.Type == corev1.ServiceTypeExternalName {
		svc.Spec.ClusterIP, svc.Spec.ClusterIPs, svc.Spec.IPFamilies, svc.Spec.IPFamilyPolicy = "", nil, nil, nil
		return
	}
	if svc.Spec.ClusterIP == "" {
		svc.Spec.ClusterIP, svc.Spec.ClusterIPs = old.Spec.ClusterIP, old.Spec.ClusterIPs
	}
	for i := range svc.Spec.Ports {
		for _, p := range old.Spec.Ports {
			if svc.Spec.Ports[i].NodePort == 0 && p.Port == svc.Spec.Ports[i].Port && p.Protocol == svc.Spec.Ports[i].Protocol {
				svc.Spec.Ports[i].NodePort = p.NodePort
			}
		}
	}
	allocate(svc)
}

// attrs yields the labels and the selectable fields of an object.
func (r *resource) attrs(obj runtime.Object) (labels.Set, fields.Set, error) {
	m, err := meta.Accessor(obj)
	if err != nil {
		return nil, nil, err
	}
	set := fields.Set{"metadata.name": m.GetName()}
	if !r.cluster {
		set["metadata.namespace"] = m.GetNamespace()
	}
	gvks, _, _ := Scheme.ObjectKinds(obj)
	if len(gvks) == 0 {
		return m.GetLabels(), set, nil
	}
	if known := fieldLabels[r.gv.WithKind(gvks[0].Kind)]; len(known) > 0 {
		u, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range known {
			set[f] = lookup(u, f)
		}
		if ev, ok := obj.(*corev1.Event); ok {
			set["source"] = ev.Source.Component
			if set["source"] == "" {
				set["source"] = ev.ReportingController
			}
			set["reportingComponent"] = ev.ReportingController
		}
	}
	return m.GetLabels(), set, nil
}

func lookup(u map[string]interface{}, path string) string {
	start := 0
	for i := 0; i <= len(path); i++ {
		if i < len(path) && path[i] != '.' {
			continue
		}
		v, ok := u[path[start:i]]
		if !ok || v == nil {
			switch path {
			case "status.successful", "status.replicas":
				return "0"
			case "spec.unschedulable", "spec.hostNetwork":
				return "false"
			}
			return ""
		}
		if i == len(path) {
			return fmt.Sprint(v)
		}
		if u, ok = v.(map[string]interface{}); !ok {
			return fmt.Sprint(v)
		}
		start = i + 1
	}
	return ""
}

// newerDefaults are defaults that are newer than the bridge.
func newerDefaults(obj interface{}) {
	switch o := obj.(type) {
	case *corev1.Secret:
		if len(o.StringData) > 0 && o.Data == nil {
			o.Data = map[string][]byte{}
		}
		for k, v := range o.StringData {
			o.Data[k] = []byte(v)
		}
		o.StringData = nil
	case *corev1.Namespace:
		if o.Name != "" {
			if o.Labels == nil {
				o.Labels = map[string]string{}
			}
			o.Labels[corev1.LabelMetadataName] = o.Name
		}
	case *corev1.Service:
		if o.Spec.Type == corev1.ServiceTypeLoadBalancer && o.Spec.AllocateLoadBalancerNodePorts == nil {
			o.Spec.AllocateLoadBalancerNodePorts = ptr.To(true)
		}
	case *appsv1.StatefulSet:
		p := ptr.Deref(o.Spec.PersistentVolumeClaimRetentionPolicy, appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{})
		if p.WhenDeleted == "" {
			p.WhenDeleted = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
		}
		if p.WhenScaled == "" {
			p.WhenScaled = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
		}
		o.Spec.PersistentVolumeClaimRetentionPolicy = &p
	case *batchv1.Job:
		if o.Spec.CompletionMode == nil {
			o.Spec.CompletionMode = ptr.To(batchv1.NonIndexedCompletion)
		}
		if o.Spec.Suspend == nil {
			o.Spec.Suspend = ptr.To(false)
		}
		if o.Spec.PodReplacementPolicy == nil {
			o.Spec.PodReplacementPolicy = ptr.To(batchv1.TerminatingOrFailed)
			if o.Spec.PodFailurePolicy != nil {
				o.Spec.PodReplacementPolicy = ptr.To(batchv1.Failed)
			}
		}
	}
}

// registerDefaults adds the defaulting of the bridge, and that of the kinds it does not know.
func registerDefaults(s *runtime.Scheme) {
	for _, r := range resources {
		key := r.gr().String()
		if envtestbridge.Has(key) {
			s.AddTypeDefaultingFunc(r.obj, func(obj interface{}) {
				newerDefaults(obj)
				if err := bridgeDefault(key, obj.(runtime.Object)); err != nil {
					klog.ErrorS(err, "defaulting", "resource", key)
				}
			})
		}
	}
	rules := func(rules []admissionregistrationv1.NamedRuleWithOperations) {
		for i := range rules {
			if rules[i].Scope == nil {
				rules[i].Scope = ptr.To(admissionregistrationv1.AllScopes)
			}
		}
	}
	match := func(m *admissionregistrationv1.MatchResources) {
		if m == nil {
			return
		}
		if m.MatchPolicy == nil {
			m.MatchPolicy = ptr.To(admissionregistrationv1.Equivalent)
		}
		if m.NamespaceSelector == nil {
			m.NamespaceSelector = &metav1.LabelSelector{}
		}
		if m.ObjectSelector == nil {
			m.ObjectSelector = &metav1.LabelSelector{}
		}
		rules(m.ResourceRules)
		rules(m.ExcludeResourceRules)
	}
	s.AddTypeDefaultingFunc(&admissionregistrationv1.ValidatingAdmissionPolicy{}, func(o interface{}) {
		p := o.(*admissionregistrationv1.ValidatingAdmissionPolicy)
		if p.Spec.FailurePolicy == nil {
			p.Spec.FailurePolicy = ptr.To(admissionregistrationv1.Fail)
		}
		match(p.Spec.MatchConstraints)
	})
	s.AddTypeDefaultingFunc(&admissionregistrationv1.ValidatingAdmissionPolicyBinding{}, func(o interface{}) {
		match(o.(*admissionregistrationv1.ValidatingAdmissionPolicyBinding).Spec.MatchResources)
	})
	s.AddTypeDefaultingFunc(&admissionregistrationv1.MutatingAdmissionPolicy{}, func(o interface{}) {
		p := o.(*admissionregistrationv1.MutatingAdmissionPolicy)
		if p.Spec.FailurePolicy == nil {
			p.Spec.FailurePolicy = ptr.To(admissionregistrationv1.Fail)
		}
		match(p.Spec.MatchConstraints)
	})
	s.AddTypeDefaultingFunc(&admissionregistrationv1.MutatingAdmissionPolicyBinding{}, func(o interface{}) {
		match(o.(*admissionregistrationv1.MutatingAdmissionPolicyBinding).Spec.MatchResources)
	})
	s.AddTypeDefaultingFunc(&authenticationv1.TokenRequest{}, func(o interface{}) {
		t := o.(*authenticationv1.TokenRequest)
		if t.Spec.ExpirationSeconds == nil {
			t.Spec.ExpirationSeconds = ptr.To[int64](3600)
		}
	})
}
