//! The options of the authorization webhook.

use std::fs;

use super::{failure, text};

#[test]
fn options_that_are_not_safe_or_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        text(&path).to_owned()
    };
    let mapping = file("mapping.yaml", "rules: [{verbs: [get]}]");
    let (no_certificate, garbled) =
        (file("empty.pem", ""), file("garbled.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"));
    let local = ["--authorization-listen", "127.0.0.1:0", "--admission-certificate", "/nowhere"];
    let open = ["--authorization-listen", "0.0.0.0:0", "--admission-certificate", "/nowhere"];
    let cases: [(&[&[&str]], &str); 8] = [
        (&[&local[..2]], "--admission-certificate"),
        (&[&["--authorization-mapping", &mapping]], "--authorization-listen"),
        (&[&["--authorization-client-ca", &garbled]], "--authorization-listen"),
        (&[&open], "--authorization-client-ca"),
        (&[&local, &["--authorization-client-ca", "/nowhere"]], "--authorization-client-ca: cannot read /nowhere"),
        (&[&local, &["--authorization-client-ca", &no_certificate]], "has no certificate in PEM"),
        (&[&local, &["--authorization-client-ca", &garbled]], "is not in PEM, or garbled"),
        (&[&local, &["--authorization-mapping", &mapping]], "`rules[0]` cannot be used: missing field `permission`"),
    ];
    for (arguments, words) in cases {
        let arguments = [&["run", "--kubeconfig", "/nowhere"], &arguments.concat()[..]].concat();
        let (message, code) = failure(&arguments);
        assert!(code == 2 && message.contains(words), "{arguments:?} ended with {code}: {message}");
    }
}
