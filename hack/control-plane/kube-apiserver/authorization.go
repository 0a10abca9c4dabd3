package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/load"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	authorizationcel "k8s.io/apiserver/pkg/authorization/cel"
	authorizerunion "k8s.io/apiserver/pkg/authorization/union"
	"k8s.io/apiserver/pkg/util/webhook"
	webhookauthorizer "k8s.io/apiserver/plugin/pkg/authorizer/webhook"
	webhookmetrics "k8s.io/apiserver/plugin/pkg/authorizer/webhook/metrics"
)

// authorizationOptions are the flags of kube-apiserver that say who authorizes, and in which order.
type authorizationOptions struct {
	configFile                             string
	modes                                  []string
	webhookConfigFile, webhookVersion      string
	webhookAuthorized, webhookUnauthorized time.Duration
}

func (o *authorizationOptions) addFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.configFile, "authorization-config", "", "file with an AuthorizationConfiguration, instead of the other flags of authorization")
	fs.StringSliceVar(&o.modes, "authorization-mode", nil, "AlwaysAllow (the default), AlwaysDeny, RBAC, Webhook or Node (ignored), comma-separated")
	fs.StringVar(&o.webhookConfigFile, "authorization-webhook-config-file", "", "kubeconfig of the webhook, with --authorization-mode=Webhook")
	fs.StringVar(&o.webhookVersion, "authorization-webhook-version", "v1beta1", "version of the SubjectAccessReview that the webhook is sent")
	fs.DurationVar(&o.webhookAuthorized, "authorization-webhook-cache-authorized-ttl", 5*time.Minute, "how long to remember what the webhook allowed")
	fs.DurationVar(&o.webhookUnauthorized, "authorization-webhook-cache-unauthorized-ttl", 30*time.Second, "how long to remember what the webhook did not allow")
}

// configuration is what the flags say, as an AuthorizationConfiguration.
func (o *authorizationOptions) configuration() (*apiserver.AuthorizationConfiguration, error) {
	if o.configFile != "" {
		if len(o.modes) > 0 || o.webhookConfigFile != "" {
			return nil, fmt.Errorf("--authorization-config cannot be combined with --authorization-mode or --authorization-webhook-config-file")
		}
		config, err := load.LoadFromFile(o.configFile)
		if err != nil {
			return nil, err
		}
		types := sets.New("AlwaysAllow", "AlwaysDeny", "Node", "RBAC", string(apiserver.TypeWebhook))
		errs := validation.ValidateAuthorizationConfiguration(authorizationcel.NewDefaultCompiler(), nil, config, types,
			sets.New(string(apiserver.TypeWebhook)))
		return config, errs.ToAggregate()
	}
	if len(o.modes) == 0 {
		o.modes = []string{"AlwaysAllow"}
	}
	duration := func(d time.Duration) metav1.Duration { return metav1.Duration{Duration: d} }
	config, asksWebhook := &apiserver.AuthorizationConfiguration{}, false
	for _, mode := range o.modes {
		a := apiserver.AuthorizerConfiguration{Type: apiserver.AuthorizerType(mode), Name: "default"}
		if a.Type == apiserver.TypeWebhook {
			if o.webhookConfigFile == "" {
				return nil, fmt.Errorf("--authorization-mode Webhook needs --authorization-webhook-config-file")
			}
			asksWebhook = true
			a.Webhook = &apiserver.WebhookConfiguration{
				AuthorizedTTL: duration(o.webhookAuthorized), CacheAuthorizedRequests: o.webhookAuthorized > 0,
				UnauthorizedTTL: duration(o.webhookUnauthorized), CacheUnauthorizedRequests: o.webhookUnauthorized > 0,
				Timeout: duration(30 * time.Second), FailurePolicy: apiserver.FailurePolicyNoOpinion,
				SubjectAccessReviewVersion: o.webhookVersion,
				ConnectionInfo: apiserver.WebhookConnectionInfo{
					Type: apiserver.AuthorizationWebhookConnectionInfoTypeKubeConfigFile, KubeConfigFile: &o.webhookConfigFile,
				},
			}
		} else {
			a.Name = string(a.Type)
		}
		config.Authorizers = append(config.Authorizers, a)
	}
	if o.webhookConfigFile != "" && !asksWebhook {
		return nil, fmt.Errorf("--authorization-webhook-config-file needs --authorization-mode Webhook")
	}
	return config, nil
}

// usesRBAC tells whether RBAC is one of the authorizers, so that its default roles are wanted.
func usesRBAC(config *apiserver.AuthorizationConfiguration) bool {
	for _, a := range config.Authorizers {
		if a.Type == "RBAC" {
			return true
		}
	}
	return false
}

// authorizers asks one after the other, until one of them has an opinion.
func authorizers(config *apiserver.AuthorizationConfiguration, rbac interface {
	authorizer.Authorizer
	authorizer.RuleResolver
}) (authorizer.Authorizer, authorizer.RuleResolver, error) {
	all := []authorizer.Authorizer{authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup)}
	var rules []authorizer.RuleResolver
	for _, a := range config.Authorizers {
		switch a.Type {
		case "RBAC":
			all, rules = append(all, rbac), append(rules, rbac)
		case "AlwaysAllow":
			a := authorizerfactory.NewAlwaysAllowAuthorizer()
			all, rules = append(all, a), append(rules, a)
		case "AlwaysDeny":
			a := authorizerfactory.NewAlwaysDenyAuthorizer()
			all, rules = append(all, a), append(rules, a)
		case "Node":
		case apiserver.TypeWebhook:
			w, err := newWebhook(a.Name, a.Webhook)
			if err != nil {
				return nil, nil, fmt.Errorf("authorizer %s: %w", a.Name, err)
			}
			all, rules = append(all, w), append(rules, w)
		default:
			return nil, nil, fmt.Errorf("authorizer type %q is not known", a.Type)
		}
	}
	return authorizerunion.New(all...), authorizerunion.NewRuleResolvers(rules...), nil
}

func newWebhook(name string, w *apiserver.WebhookConfiguration) (*webhookauthorizer.WebhookAuthorizer, error) {
	client, err := webhook.LoadKubeconfig(*w.ConnectionInfo.KubeConfigFile, nil)
	if err != nil {
		return nil, err
	}
	client.Timeout = w.Timeout.Duration
	onError := authorizer.DecisionNoOpinion
	if w.FailurePolicy == apiserver.FailurePolicyDeny {
		onError = authorizer.DecisionDeny
	}
	authorized, unauthorized := w.AuthorizedTTL.Duration, w.UnauthorizedTTL.Duration
	if !w.CacheAuthorizedRequests {
		authorized = 0
	}
	if !w.CacheUnauthorizedRequests {
		unauthorized = 0
	}
	return webhookauthorizer.New(client, w.SubjectAccessReviewVersion, authorized, unauthorized,
		*webhookauthorizer.DefaultRetryBackoff(), onError, w.MatchConditions, name, webhookmetrics.NoopAuthorizerMetrics{}, authorizationcel.NewDefaultCompiler())
}
