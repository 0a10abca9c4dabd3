//! The options of the admission webhook.

use super::failure;

#[test]
fn options_that_do_not_go_together_are_refused() {
    let listen = ["--admission-listen", "127.0.0.1:0"];
    let secret = ["--admission-listen", "127.0.0.1:0", "--admission-secret", "s"];
    let host = ["--admission-host", "localhost"];
    let files = ["--admission-certificate", "/nowhere"];
    let cases: [(&[&[&str]], &str); 7] = [
        (&[&listen], "--admission-certificate"),
        (&[&files], "--admission-listen"),
        (&[&secret], "--admission-host"),
        (&[&secret, &host, &files], "cannot be used with"),
        (&[&secret, &["--admission-host", "ö"]], "no certificate can be made for ö"),
        (&[&secret, &host, &["--admission-certificate-lifetime", "1s"]], "a certificate must live for 5s at least"),
        (&[&secret, &host, &["--admission-authority-lifetime", "900h"]], "must live at least twice as long"),
    ];
    for (arguments, words) in cases {
        let arguments = [&["run", "--kubeconfig", "/nowhere"], &arguments.concat()[..]].concat();
        let (message, code) = failure(&arguments);
        assert!(code == 2 && message.contains(words), "{arguments:?} ended with {code}: {message}");
    }
}
