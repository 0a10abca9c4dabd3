package main

import (
	"context"
	"fmt"
	"reflect"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	storeerr "k8s.io/apiserver/pkg/storage/errors"
	"k8s.io/apiserver/pkg/util/dryrun"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// store is a generic registry with what discovery shows of a resource.
type store struct {
	*genericregistry.Store
	*resource
}

func (s *store) ShortNames() []string { return s.short }
func (s *store) Categories() []string { return s.categories }

func newStore(r *resource, getter generic.RESTOptionsGetter) (*store, error) {
	st := newStrategy(r, "")
	s := &genericregistry.Store{
		NewFunc:                   func() runtime.Object { return reflect.New(reflect.TypeOf(r.obj).Elem()).Interface().(runtime.Object) },
		NewListFunc:               func() runtime.Object { return reflect.New(reflect.TypeOf(r.list).Elem()).Interface().(runtime.Object) },
		DefaultQualifiedResource:  r.gr(),
		SingularQualifiedResource: schema.GroupResource{Group: r.gv.Group, Resource: r.singular},
		CreateStrategy:            st,
		UpdateStrategy:            st,
		DeleteStrategy:            st,
		ResetFieldsStrategy:       st,
		ReturnDeletedObject:       true,
		TableConvertor:            rest.NewDefaultTableConvertor(r.gr()),
	}
	switch r.plural {
	case "pods":
		s.DeleteStrategy = podStrategy{st}
	case "events":
		s.TTLFunc = func(runtime.Object, uint64, bool) (uint64, error) { return 3600, nil }
	case "namespaces":
		s.ShouldDeleteDuringUpdate = func(ctx context.Context, key string, obj, existing runtime.Object) bool {
			return len(obj.(*corev1.Namespace).Spec.Finalizers) == 0 && genericregistry.ShouldDeleteDuringUpdate(ctx, key, obj, existing)
		}
	}
	if err := s.CompleteWithOptions(&generic.StoreOptions{RESTOptions: getter, AttrFunc: r.attrs}); err != nil {
		return nil, err
	}
	return &store{s, r}, nil
}

// subresource updates one part of the objects of a store.
type subresource struct{ store *genericregistry.Store }

func newSubresource(s *store, sub string) *subresource {
	c := *s.Store
	st := newStrategy(s.resource, sub)
	c.UpdateStrategy, c.ResetFieldsStrategy = st, st
	return &subresource{&c}
}

func (r *subresource) New() runtime.Object { return r.store.New() }
func (r *subresource) Destroy()            {} // the store is destroyed with its resource
func (r *subresource) Get(ctx context.Context, name string, o *metav1.GetOptions) (runtime.Object, error) {
	return r.store.Get(ctx, name, o)
}
func (r *subresource) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, cv rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, _ bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return r.store.Update(ctx, name, info, cv, uv, false, o)
}
func (r *subresource) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return r.store.GetResetFields()
}
func (r *subresource) ConvertToTable(ctx context.Context, obj, opts runtime.Object) (*metav1.Table, error) {
	return r.store.ConvertToTable(ctx, obj, opts)
}

// finalize is the subresource that only updates (it cannot be read).
type finalize struct{ s *subresource }

func (f finalize) New() runtime.Object { return f.s.New() }
func (f finalize) Destroy()            {}
func (f finalize) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, cv rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, c bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return f.s.Update(ctx, name, info, cv, uv, c, o)
}

// namespaces first marks a deleted namespace as terminating; it goes once its spec.finalizers are gone
// (after pkg/registry/core/namespace/storage of Kubernetes, Apache License 2.0).
type namespaces struct{ *store }

// DeleteCollection is not offered for namespaces.
func (n *namespaces) DeleteCollection() {}

func (n *namespaces) Delete(ctx context.Context, name string, validate rest.ValidateObjectFunc, options *metav1.DeleteOptions) (runtime.Object, bool, error) {
	gr := n.gr()
	obj, err := n.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, false, err
	}
	ns := obj.(*corev1.Namespace)
	if options == nil {
		options = metav1.NewDeleteOptions(0)
	}
	if options.Preconditions == nil {
		options.Preconditions = &metav1.Preconditions{}
	}
	if options.Preconditions.UID == nil {
		options.Preconditions.UID = &ns.UID
	}
	if uid := *options.Preconditions.UID; uid != ns.UID {
		return nil, false, apierrors.NewConflict(gr, name, fmt.Errorf("the UID in the precondition (%s) is not that of the object (%s)", uid, ns.UID))
	}
	if rv := options.Preconditions.ResourceVersion; rv != nil && *rv != ns.ResourceVersion {
		return nil, false, apierrors.NewConflict(gr, name, fmt.Errorf("the resourceVersion in the precondition (%s) is not that of the object (%s)", *rv, ns.ResourceVersion))
	}
	if !ns.DeletionTimestamp.IsZero() {
		if len(ns.Spec.Finalizers) != 0 {
			return ns, false, nil
		}
		return n.store.Delete(ctx, name, validate, options)
	}
	key, err := n.KeyFunc(ctx, name)
	if err != nil {
		return nil, false, err
	}
	out := n.NewFunc()
	err = n.Storage.GuaranteedUpdate(ctx, key, out, false,
		&storage.Preconditions{UID: options.Preconditions.UID, ResourceVersion: options.Preconditions.ResourceVersion},
		storage.SimpleUpdate(func(existing runtime.Object) (runtime.Object, error) {
			ns := existing.(*corev1.Namespace)
			if validate != nil {
				if err := validate(ctx, ns); err != nil {
					return nil, err
				}
			}
			if ns.DeletionTimestamp.IsZero() {
				now := metav1.Now()
				ns.DeletionTimestamp = &now
			}
			ns.Status.Phase = corev1.NamespaceTerminating
			return ns, nil
		}), dryrun.IsDryRun(options.DryRun), nil)
	if err != nil {
		err = storeerr.InterpretUpdateError(storeerr.InterpretGetError(err, gr, name), gr, name)
		if _, ok := err.(*apierrors.StatusError); !ok {
			err = apierrors.NewInternalError(err)
		}
		return nil, false, err
	}
	return out, false, nil
}

// checked runs a check before an object is created or replaced.
type checked struct {
	*store
	check func(ctx context.Context, obj, old runtime.Object) error
}

func (c *checked) Create(ctx context.Context, obj runtime.Object, v rest.ValidateObjectFunc, o *metav1.CreateOptions) (runtime.Object, error) {
	if err := c.check(ctx, obj, nil); err != nil {
		return nil, err
	}
	return c.store.Create(ctx, obj, v, o)
}

func (c *checked) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, cv rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, force bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	info = rest.WrapUpdatedObjectInfo(info, func(ctx context.Context, obj, old runtime.Object) (runtime.Object, error) {
		return obj, c.check(ctx, obj, old)
	})
	return c.store.Update(ctx, name, info, cv, uv, force, o)
}

// scale is the scale subresource.
type scale struct{ *store }

func (s *scale) New() runtime.Object { return &autoscalingv1.Scale{} }
func (s *scale) Destroy()            {}
func (s *scale) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return autoscalingv1.SchemeGroupVersion.WithKind("Scale")
}

func (s *scale) of(obj runtime.Object) (*autoscalingv1.Scale, error) {
	m, err := meta.Accessor(obj)
	if err != nil {
		return nil, err
	}
	out := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: m.GetName(), Namespace: m.GetNamespace(), UID: m.GetUID(),
		ResourceVersion: m.GetResourceVersion(), CreationTimestamp: m.GetCreationTimestamp()}}
	spec, _ := fieldOf(obj, "Spec")
	status, _ := fieldOf(obj, "Status")
	if p := spec.FieldByName("Replicas"); !p.IsNil() {
		out.Spec.Replicas = int32(p.Elem().Int())
	}
	out.Status.Replicas = int32(status.FieldByName("Replicas").Int())
	switch sel := spec.FieldByName("Selector").Interface().(type) {
	case *metav1.LabelSelector:
		ls, err := metav1.LabelSelectorAsSelector(sel)
		if err != nil {
			return nil, err
		}
		out.Status.Selector = ls.String()
	case map[string]string:
		out.Status.Selector = metav1.FormatLabelSelector(metav1.SetAsLabelSelector(sel))
	}
	return out, nil
}

func (s *scale) Get(ctx context.Context, name string, o *metav1.GetOptions) (runtime.Object, error) {
	obj, err := s.store.Get(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return s.of(obj)
}

type scaleInfo struct {
	rest.UpdatedObjectInfo
	s    *scale
	uv   rest.ValidateObjectUpdateFunc
	name string
}

func (i *scaleInfo) UpdatedObject(ctx context.Context, old runtime.Object) (runtime.Object, error) {
	oldScale, err := i.s.of(old)
	if err != nil {
		return nil, err
	}
	obj, err := i.UpdatedObjectInfo.UpdatedObject(ctx, oldScale)
	if err != nil {
		return nil, err
	}
	sc, ok := obj.(*autoscalingv1.Scale)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("expected a Scale, not %T", obj))
	}
	if sc.Name != i.name {
		return nil, apierrors.NewBadRequest("the name of the Scale is not that of the request")
	}
	if sc.Spec.Replicas < 0 {
		return nil, apierrors.NewInvalid(autoscalingv1.SchemeGroupVersion.WithKind("Scale").GroupKind(), i.name,
			field.ErrorList{field.Invalid(field.NewPath("spec", "replicas"), sc.Spec.Replicas, "must be greater than or equal to 0")})
	}
	if i.uv != nil {
		if err := i.uv(ctx, sc, oldScale); err != nil {
			return nil, err
		}
	}
	out := old.DeepCopyObject()
	m, _ := meta.Accessor(out)
	if sc.ResourceVersion != "" {
		m.SetResourceVersion(sc.ResourceVersion)
	}
	spec, _ := fieldOf(out, "Spec")
	n := sc.Spec.Replicas
	spec.FieldByName("Replicas").Set(reflect.ValueOf(&n))
	return out, nil
}

func (s *scale) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, _ rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, _ bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	obj, _, err := s.store.Update(ctx, name, &scaleInfo{info, s, uv, name}, nil, nil, false, o)
	if err != nil {
		return nil, false, err
	}
	out, err := s.of(obj)
	return out, false, err
}

// scaleREST hides what a scale subresource does not offer.
type scaleREST struct{ s *scale }

func (r scaleREST) New() runtime.Object { return r.s.New() }
func (r scaleREST) Destroy()            {}
func (r scaleREST) GroupVersionKind(gv schema.GroupVersion) schema.GroupVersionKind {
	return r.s.GroupVersionKind(gv)
}
func (r scaleREST) Get(ctx context.Context, name string, o *metav1.GetOptions) (runtime.Object, error) {
	return r.s.Get(ctx, name, o)
}
func (r scaleREST) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, cv rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, c bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return r.s.Update(ctx, name, info, cv, uv, c, o)
}
func (r scaleREST) ConvertToTable(ctx context.Context, obj, opts runtime.Object) (*metav1.Table, error) {
	return r.s.ConvertToTable(ctx, obj, opts)
}

// eviction deletes a pod (disruption budgets are not looked at).
type eviction struct{ pods *store }

func (eviction) New() runtime.Object { return &policyv1.Eviction{} }
func (eviction) Destroy()            {}
func (eviction) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return policyv1.SchemeGroupVersion.WithKind("Eviction")
}
func (e eviction) Create(ctx context.Context, name string, obj runtime.Object, v rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	if v != nil {
		if err := v(ctx, obj.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	opts := obj.(*policyv1.Eviction).DeleteOptions
	if opts == nil {
		opts = &metav1.DeleteOptions{}
	}
	if _, _, err := e.pods.Delete(ctx, name, rest.ValidateAllObjectFunc, opts); err != nil {
		return nil, err
	}
	return &metav1.Status{Status: metav1.StatusSuccess}, nil
}

// binding assigns a pod to a node.
type binding struct{ pods *store }

func (binding) New() runtime.Object { return &corev1.Binding{} }
func (binding) Destroy()            {}
func (b binding) Create(ctx context.Context, name string, obj runtime.Object, v rest.ValidateObjectFunc, o *metav1.CreateOptions) (runtime.Object, error) {
	if v != nil {
		if err := v(ctx, obj.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	key, err := b.pods.KeyFunc(ctx, name)
	if err != nil {
		return nil, err
	}
	node := obj.(*corev1.Binding).Target.Name
	err = b.pods.Storage.GuaranteedUpdate(ctx, key, &corev1.Pod{}, false, nil, storage.SimpleUpdate(func(existing runtime.Object) (runtime.Object, error) {
		pod := existing.(*corev1.Pod)
		if pod.Spec.NodeName != "" {
			return nil, apierrors.NewConflict(b.pods.gr(), name, fmt.Errorf("pod %s is already assigned to node %q", name, pod.Spec.NodeName))
		}
		pod.Spec.NodeName = node
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()})
		return pod, nil
	}), dryrun.IsDryRun(o.DryRun), nil)
	if err != nil {
		err = storeerr.InterpretGetError(err, b.pods.gr(), name)
		return nil, err
	}
	return &metav1.Status{Status: metav1.StatusSuccess}, nil
}
