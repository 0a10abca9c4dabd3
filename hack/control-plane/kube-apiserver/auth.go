package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/util/keyutil"

	"envtest.local/kube-apiserver/rbac"
	"envtest.local/kube-apiserver/rbacvalidation"
)

// ---- service account tokens

type objectRef struct {
	Name string    `json:"name"`
	UID  types.UID `json:"uid"`
}

type claims struct {
	Aud []string `json:"aud"`
	Exp int64    `json:"exp"`
	Iat int64    `json:"iat"`
	Iss string   `json:"iss"`
	Jti string   `json:"jti"`
	Nbf int64    `json:"nbf"`
	Sub string   `json:"sub"`
	K8s struct {
		Namespace      string     `json:"namespace"`
		Node           *objectRef `json:"node,omitempty"`
		Pod            *objectRef `json:"pod,omitempty"`
		Secret         *objectRef `json:"secret,omitempty"`
		ServiceAccount objectRef  `json:"serviceaccount"`
	} `json:"kubernetes.io"`
}

// tokens issues and checks service account tokens (JWS, RS256 or ES256).
type tokens struct {
	issuers   []string
	audiences authenticator.Audiences
	key       crypto.Signer
	public    []interface{}
	accounts  corelisters.ServiceAccountLister
	pods      corelisters.PodLister
	secrets   corelisters.SecretLister
}

var b64 = base64.RawURLEncoding

func keyID(public interface{}) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return b64.EncodeToString(sum[:])
}

func loadKeys(signing string, verify []string) (crypto.Signer, []interface{}, error) {
	var signer crypto.Signer
	var public []interface{}
	if signing != "" {
		k, err := keyutil.PrivateKeyFromFile(signing)
		if err != nil {
			return nil, nil, err
		}
		s, ok := k.(crypto.Signer)
		if !ok {
			return nil, nil, fmt.Errorf("%s: a %T cannot sign", signing, k)
		}
		signer = s
		public = append(public, s.Public())
	}
	for _, f := range verify {
		ks, err := keyutil.PublicKeysFromFile(f)
		if err != nil {
			return nil, nil, err
		}
		public = append(public, ks...)
	}
	if len(public) == 0 { // neither is given: a key for this run
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		return k, []interface{}{k.Public()}, nil
	}
	return signer, public, nil
}

func (t *tokens) sign(c *claims) (string, error) {
	alg := "RS256"
	if _, ok := t.key.Public().(*ecdsa.PublicKey); ok {
		alg = "ES256"
	}
	head, _ := json.Marshal(map[string]string{"alg": alg, "kid": keyID(t.key.Public())})
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	msg := b64.EncodeToString(head) + "." + b64.EncodeToString(body)
	sum := sha256.Sum256([]byte(msg))
	var sig []byte
	switch k := t.key.(type) {
	case *rsa.PrivateKey:
		if sig, err = rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:]); err != nil {
			return "", err
		}
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			return "", err
		}
		sig = make([]byte, 64)
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
	default:
		return "", fmt.Errorf("cannot sign with a %T", k)
	}
	return msg + "." + b64.EncodeToString(sig), nil
}

func (t *tokens) verify(token string) (*claims, bool, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false, nil
	}
	body, err := b64.DecodeString(parts[1])
	if err != nil {
		return nil, false, nil
	}
	sig, err := b64.DecodeString(parts[2])
	if err != nil {
		return nil, false, nil
	}
	c := &claims{}
	if err := json.Unmarshal(body, c); err != nil || !slices.Contains(t.issuers, c.Iss) {
		return nil, false, nil
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, k := range t.public {
		switch k := k.(type) {
		case *rsa.PublicKey:
			if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) == nil {
				return c, true, nil
			}
		case *ecdsa.PublicKey:
			if len(sig) == 64 && ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
				return c, true, nil
			}
		}
	}
	return nil, false, errors.New("invalid bearer token: no key verifies it")
}

// AuthenticateToken implements authenticator.Token.
func (t *tokens) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	c, ok, err := t.verify(token)
	if !ok || err != nil {
		return nil, false, err
	}
	auds := authenticator.Audiences(c.Aud)
	if len(auds) == 0 {
		auds = t.audiences
	}
	requested, ok := authenticator.AudiencesFrom(ctx)
	if !ok {
		requested = t.audiences
	}
	common := auds.Intersect(requested)
	if len(common) == 0 {
		return nil, false, fmt.Errorf("token audiences %q is invalid for the target audiences %q", auds, requested)
	}
	now := time.Now().Unix()
	if now > c.Exp || now < c.Nbf-60 {
		return nil, false, errors.New("service account token has expired")
	}
	ns := c.K8s.Namespace
	sa, err := t.accounts.ServiceAccounts(ns).Get(c.K8s.ServiceAccount.Name)
	if err != nil {
		return nil, false, err
	}
	if sa.DeletionTimestamp != nil || sa.UID != c.K8s.ServiceAccount.UID {
		return nil, false, fmt.Errorf("the service account %s/%s of the token has been deleted", ns, sa.Name)
	}
	info := &serviceaccount.ServiceAccountInfo{Namespace: ns, Name: sa.Name, UID: string(sa.UID), CredentialID: "JTI=" + c.Jti}
	if ref := c.K8s.Pod; ref != nil {
		pod, err := t.pods.Pods(ns).Get(ref.Name)
		if err != nil || pod.UID != ref.UID {
			return nil, false, errors.New("the pod of the token has been deleted")
		}
		info.PodName, info.PodUID = ref.Name, string(ref.UID)
	}
	if ref := c.K8s.Secret; ref != nil {
		secret, err := t.secrets.Secrets(ns).Get(ref.Name)
		if err != nil || secret.UID != ref.UID {
			return nil, false, errors.New("the secret of the token has been deleted")
		}
	}
	return &authenticator.Response{User: info.UserInfo(), Audiences: common}, true, nil
}

// configuration and keySet are what relying parties ask an issuer for.
func (t *tokens) configuration() interface{} {
	return map[string]interface{}{
		"issuer": t.issuers[0], "jwks_uri": strings.TrimSuffix(t.issuers[0], "/") + "/openid/v1/jwks",
		"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256"},
	}
}

func (t *tokens) keySet() interface{} {
	keys := []map[string]string{}
	seen := map[string]bool{}
	for _, k := range t.public {
		id := keyID(k)
		if seen[id] {
			continue
		}
		seen[id] = true
		switch k := k.(type) {
		case *rsa.PublicKey:
			keys = append(keys, map[string]string{"use": "sig", "kty": "RSA", "kid": id, "alg": "RS256",
				"n": b64.EncodeToString(k.N.Bytes()), "e": b64.EncodeToString(big.NewInt(int64(k.E)).Bytes())})
		case *ecdsa.PublicKey:
			if raw, err := k.Bytes(); err == nil && len(raw) == 65 {
				keys = append(keys, map[string]string{"use": "sig", "kty": "EC", "kid": id, "alg": "ES256", "crv": "P-256",
					"x": b64.EncodeToString(raw[1:33]), "y": b64.EncodeToString(raw[33:])})
			}
		}
	}
	return map[string]interface{}{"keys": keys}
}

func (t *tokens) document(doc interface{}) http.Handler {
	body, _ := json.Marshal(doc)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}

// tokenRequest is the token subresource of service accounts.
type tokenRequest struct {
	t                       *tokens
	accounts, pods, secrets *store
}

func (tokenRequest) New() runtime.Object { return &authenticationv1.TokenRequest{} }
func (tokenRequest) Destroy()            {}
func (tokenRequest) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return authenticationv1.SchemeGroupVersion.WithKind("TokenRequest")
}

func (r tokenRequest) Create(ctx context.Context, name string, obj runtime.Object, v rest.ValidateObjectFunc, o *metav1.CreateOptions) (runtime.Object, error) {
	if v != nil {
		if err := v(ctx, obj.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	out := obj.(*authenticationv1.TokenRequest)
	if r.t.key == nil {
		return nil, apierrors.NewInternalError(errors.New("no --service-account-signing-key-file"))
	}
	if s := *out.Spec.ExpirationSeconds; s < 600 || s > 1<<32 {
		return nil, apierrors.NewBadRequest("spec.expirationSeconds: may not specify a duration less than 10 minutes or larger than 2^32 seconds")
	}
	got, err := r.accounts.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	sa := got.(*corev1.ServiceAccount)
	if len(out.Spec.Audiences) == 0 {
		out.Spec.Audiences = r.t.audiences
	}
	now := time.Now()
	c := &claims{
		Aud: out.Spec.Audiences, Iss: r.t.issuers[0], Jti: string(uuid.NewUUID()),
		Iat: now.Unix(), Nbf: now.Unix(), Exp: now.Unix() + *out.Spec.ExpirationSeconds,
		Sub: serviceaccount.MakeUsername(sa.Namespace, sa.Name),
	}
	c.K8s.Namespace, c.K8s.ServiceAccount = sa.Namespace, objectRef{sa.Name, sa.UID}
	if ref := out.Spec.BoundObjectRef; ref != nil {
		var to objectRef
		switch ref.Kind {
		case "Pod":
			got, err := r.pods.Get(ctx, ref.Name, &metav1.GetOptions{})
			if err != nil {
				return nil, err
			}
			pod := got.(*corev1.Pod)
			if pod.Spec.ServiceAccountName != name {
				return nil, apierrors.NewBadRequest(fmt.Sprintf("cannot bind token for serviceaccount %q to pod running with different serviceaccount name", name))
			}
			to = objectRef{pod.Name, pod.UID}
			c.K8s.Pod = &to
		case "Secret":
			got, err := r.secrets.Get(ctx, ref.Name, &metav1.GetOptions{})
			if err != nil {
				return nil, err
			}
			to = objectRef{ref.Name, got.(*corev1.Secret).UID}
			c.K8s.Secret = &to
		default:
			return nil, apierrors.NewBadRequest(fmt.Sprintf("cannot bind token to object of type %s %s", ref.APIVersion, ref.Kind))
		}
		if ref.UID != "" && ref.UID != to.UID {
			return nil, apierrors.NewConflict(schema.GroupResource{Resource: ref.Kind}, ref.Name, errors.New("the UID in the bound object reference does not match the UID in record"))
		}
	}
	if out.Status.Token, err = r.t.sign(c); err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	out.Status.ExpirationTimestamp = metav1.Time{Time: time.Unix(c.Exp, 0)}
	return out, nil
}

// ---- reviews

// review is a resource that is only ever created and is not kept.
type review struct {
	obj        func() runtime.Object
	name       string
	namespaced bool
	do         func(ctx context.Context, obj runtime.Object) error
}

func (r review) New() runtime.Object     { return r.obj() }
func (review) Destroy()                  {}
func (r review) NamespaceScoped() bool   { return r.namespaced }
func (r review) GetSingularName() string { return r.name }
func (r review) Create(ctx context.Context, obj runtime.Object, v rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	if v != nil {
		if err := v(ctx, obj.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	return obj, r.do(ctx, obj)
}

func extraOf(u user.Info) map[string]authenticationv1.ExtraValue {
	out := map[string]authenticationv1.ExtraValue{}
	for k, v := range u.GetExtra() {
		out[k] = v
	}
	return out
}

func authenticationStorage(auth authenticator.Token, audiences authenticator.Audiences) map[string]rest.Storage {
	return map[string]rest.Storage{
		"tokenreviews": review{func() runtime.Object { return &authenticationv1.TokenReview{} }, "tokenreview", false,
			func(ctx context.Context, obj runtime.Object) error {
				t := obj.(*authenticationv1.TokenReview)
				if t.Spec.Token == "" {
					return apierrors.NewBadRequest("token is required for TokenReview in authentication")
				}
				want := authenticator.Audiences(t.Spec.Audiences)
				if len(want) == 0 {
					want = audiences
				}
				resp, ok, err := auth.AuthenticateToken(authenticator.WithAudiences(context.WithoutCancel(ctx), want), t.Spec.Token)
				t.Status = authenticationv1.TokenReviewStatus{Authenticated: ok}
				if err != nil {
					t.Status.Error = err.Error()
				}
				if ok {
					if len(want) > 0 && resp.Audiences == nil {
						resp.Audiences = want
					}
					t.Status.Audiences = resp.Audiences
					t.Status.User = authenticationv1.UserInfo{Username: resp.User.GetName(), UID: resp.User.GetUID(), Groups: resp.User.GetGroups(), Extra: extraOf(resp.User)}
				}
				return nil
			}},
		"selfsubjectreviews": review{func() runtime.Object { return &authenticationv1.SelfSubjectReview{} }, "selfsubjectreview", false,
			func(ctx context.Context, obj runtime.Object) error {
				u, ok := genericapirequest.UserFrom(ctx)
				if !ok {
					return apierrors.NewBadRequest("no user present on request")
				}
				obj.(*authenticationv1.SelfSubjectReview).Status.UserInfo = authenticationv1.UserInfo{Username: u.GetName(), UID: u.GetUID(), Groups: u.GetGroups(), Extra: extraOf(u)}
				return nil
			}},
	}
}

func attributes(u user.Info, res *authorizationv1.ResourceAttributes, non *authorizationv1.NonResourceAttributes) (authorizer.AttributesRecord, error) {
	switch {
	case res != nil && non == nil:
		return authorizer.AttributesRecord{User: u, Verb: res.Verb, Namespace: res.Namespace, APIGroup: res.Group, APIVersion: res.Version,
			Resource: res.Resource, Subresource: res.Subresource, Name: res.Name, ResourceRequest: true}, nil
	case non != nil && res == nil:
		return authorizer.AttributesRecord{User: u, Verb: non.Verb, Path: non.Path}, nil
	}
	return authorizer.AttributesRecord{}, apierrors.NewBadRequest("exactly one of resourceAttributes and nonResourceAttributes must be specified")
}

func authorizationStorage(auth authorizer.Authorizer, rules authorizer.RuleResolver) map[string]rest.Storage {
	decide := func(ctx context.Context, a authorizer.AttributesRecord) authorizationv1.SubjectAccessReviewStatus {
		d, reason, err := auth.Authorize(ctx, a)
		s := authorizationv1.SubjectAccessReviewStatus{Allowed: d == authorizer.DecisionAllow, Denied: d == authorizer.DecisionDeny, Reason: reason}
		if err != nil {
			s.EvaluationError = err.Error()
		}
		return s
	}
	subject := func(ctx context.Context, spec authorizationv1.SubjectAccessReviewSpec) (authorizationv1.SubjectAccessReviewStatus, error) {
		if spec.User == "" && len(spec.Groups) == 0 {
			return authorizationv1.SubjectAccessReviewStatus{}, apierrors.NewBadRequest("spec.user: at least one of user or group must be specified")
		}
		extra := map[string][]string{}
		for k, v := range spec.Extra {
			extra[k] = v
		}
		a, err := attributes(&user.DefaultInfo{Name: spec.User, UID: spec.UID, Groups: spec.Groups, Extra: extra}, spec.ResourceAttributes, spec.NonResourceAttributes)
		if err != nil {
			return authorizationv1.SubjectAccessReviewStatus{}, err
		}
		return decide(ctx, a), nil
	}
	return map[string]rest.Storage{
		"subjectaccessreviews": review{func() runtime.Object { return &authorizationv1.SubjectAccessReview{} }, "subjectaccessreview", false,
			func(ctx context.Context, obj runtime.Object) (err error) {
				s := obj.(*authorizationv1.SubjectAccessReview)
				s.Status, err = subject(ctx, s.Spec)
				return err
			}},
		"localsubjectaccessreviews": review{func() runtime.Object { return &authorizationv1.LocalSubjectAccessReview{} }, "localsubjectaccessreview", true,
			func(ctx context.Context, obj runtime.Object) (err error) {
				s := obj.(*authorizationv1.LocalSubjectAccessReview)
				if s.Spec.ResourceAttributes == nil || s.Spec.ResourceAttributes.Namespace != genericapirequest.NamespaceValue(ctx) {
					return apierrors.NewBadRequest("spec.resourceAttributes.namespace must match the namespace of the request")
				}
				s.Status, err = subject(ctx, s.Spec)
				return err
			}},
		"selfsubjectaccessreviews": review{func() runtime.Object { return &authorizationv1.SelfSubjectAccessReview{} }, "selfsubjectaccessreview", false,
			func(ctx context.Context, obj runtime.Object) error {
				s := obj.(*authorizationv1.SelfSubjectAccessReview)
				u, ok := genericapirequest.UserFrom(ctx)
				if !ok {
					return apierrors.NewBadRequest("no user present on request")
				}
				a, err := attributes(u, s.Spec.ResourceAttributes, s.Spec.NonResourceAttributes)
				if err != nil {
					return err
				}
				s.Status = decide(ctx, a)
				return nil
			}},
		"selfsubjectrulesreviews": review{func() runtime.Object { return &authorizationv1.SelfSubjectRulesReview{} }, "selfsubjectrulesreview", false,
			func(ctx context.Context, obj runtime.Object) error {
				s := obj.(*authorizationv1.SelfSubjectRulesReview)
				u, ok := genericapirequest.UserFrom(ctx)
				if !ok || s.Spec.Namespace == "" {
					return apierrors.NewBadRequest("a user and a namespace are required")
				}
				res, non, incomplete, err := rules.RulesFor(ctx, u, s.Spec.Namespace)
				s.Status = authorizationv1.SubjectRulesReviewStatus{Incomplete: incomplete, ResourceRules: []authorizationv1.ResourceRule{}, NonResourceRules: []authorizationv1.NonResourceRule{}}
				for _, r := range res {
					s.Status.ResourceRules = append(s.Status.ResourceRules, authorizationv1.ResourceRule{Verbs: r.GetVerbs(), APIGroups: r.GetAPIGroups(), Resources: r.GetResources(), ResourceNames: r.GetResourceNames()})
				}
				for _, r := range non {
					s.Status.NonResourceRules = append(s.Status.NonResourceRules, authorizationv1.NonResourceRule{Verbs: r.GetVerbs(), NonResourceURLs: r.GetNonResourceURLs()})
				}
				if err != nil {
					s.Status.EvaluationError = err.Error()
				}
				return nil
			}},
	}
}

// ---- no privilege escalation by way of roles and bindings

func escalationCheck(r *resource, auth authorizer.Authorizer, rules rbacvalidation.AuthorizationRuleResolver) func(context.Context, runtime.Object, runtime.Object) error {
	return func(ctx context.Context, obj, old runtime.Object) error {
		if rbac.EscalationAllowed(ctx) {
			return nil
		}
		var name, ns string
		var grants []rbacv1.PolicyRule
		var ref *rbacv1.RoleRef
		switch o := obj.(type) {
		case *rbacv1.Role:
			name, grants = o.Name, o.Rules
		case *rbacv1.ClusterRole:
			name, grants = o.Name, o.Rules
			if o.AggregationRule != nil {
				grants = append(grants[:len(grants):len(grants)], rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}, rbacv1.PolicyRule{NonResourceURLs: []string{"*"}, Verbs: []string{"*"}})
			}
		case *rbacv1.RoleBinding:
			name, ns, ref = o.Name, genericapirequest.NamespaceValue(ctx), &o.RoleRef
		case *rbacv1.ClusterRoleBinding:
			name, ref = o.Name, &o.RoleRef
		}
		if old != nil && rbac.IsOnlyMutatingGCFields(obj, old, rbac.Semantic) {
			return nil
		}
		if ref == nil {
			if rbac.RoleEscalationAuthorized(ctx, auth) {
				return nil
			}
		} else {
			if ref.APIGroup == "" {
				ref = &rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: ref.Kind, Name: ref.Name}
			}
			if rbac.BindingAuthorized(ctx, *ref, ns, auth) {
				return nil
			}
			var err error
			if grants, err = rules.GetRoleReferenceRules(*ref, ns); err != nil {
				return err
			}
		}
		if err := rbacvalidation.ConfirmNoEscalation(ctx, rules, grants); err != nil {
			return apierrors.NewForbidden(r.gr(), name, err)
		}
		return nil
	}
}
