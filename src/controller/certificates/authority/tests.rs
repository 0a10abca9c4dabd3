use super::*;

const DAY: Duration = Duration::from_hours(24);

fn terms() -> Terms {
    let hosts = vec!["bailiwick.bailiwick-system.svc".to_owned(), "127.0.0.1".to_owned()];
    Terms { hosts, certificate_lifetime: 30 * DAY, authority_lifetime: 360 * DAY }
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn next(material: &Material, settled: bool, now: Timestamp) -> Option<Material> {
    material.next(&[], settled, now, &terms()).unwrap()
}

fn fresh(now: Timestamp) -> Material {
    next(&Material::default(), false, now).expect("nothing is there yet")
}

/// Whether the API server accepts the certificate where it trusts these authorities.
fn accepted(shown: &Material, trusted: &Material, now: Timestamp) -> bool {
    shown.working_certificate(&Dated::read_all(&trusted.authorities, now), now, &terms().hosts).is_some()
}

#[test]
fn what_is_made_works_for_every_host_and_stays_until_two_thirds_of_its_life_are_over() {
    let material = fresh(start());
    assert!(accepted(&material, &material, start()));
    for days in [0, 1, 19] {
        for settled in [false, true] {
            assert_eq!(next(&material, settled, later(start(), days * DAY)), None, "after {days} days");
        }
    }
    let after = later(start(), 20 * DAY);
    assert_eq!(next(&material, false, after), None, "nobody knows whether its authority is trusted yet");
    let renewed = next(&material, true, after).expect("it is old");
    assert_eq!(renewed.authorities, material.authorities);
    assert_ne!(renewed.certificate, material.certificate);
    assert!(accepted(&renewed, &material, after));
}

#[test]
fn an_authority_is_trusted_before_it_issues_and_until_nothing_of_its_is_shown() {
    let first = fresh(start());
    let mut material = first.clone();
    let mut now = start();
    // As a leader does: it renews what is old until the authority is.
    let with_both = loop {
        now = later(now, DAY);
        if let Some(changed) = next(&material, true, now) {
            if changed.authorities != material.authorities {
                break changed;
            }
            material = changed;
        }
    };
    assert_eq!(now, later(start(), 240 * DAY), "when two thirds of the authority's life are over");
    assert_eq!(with_both.certificate, material.certificate, "what is shown stays as it is");
    assert!(accepted(&material, &with_both, now), "the old one is still trusted");
    assert_eq!(next(&with_both, false, now), None, "the new one is not known to be trusted yet");

    let by_new = next(&with_both, true, now).expect("the new one can issue");
    assert_eq!(by_new.authorities, with_both.authorities);
    assert!(accepted(&by_new, &with_both, now) && !accepted(&by_new, &first, now));
    assert_eq!(next(&by_new, false, now), None, "others may still show what the old one issued");

    let with_new = next(&by_new, true, now).expect("the old one is of no use any more");
    assert_eq!(with_new.certificate, by_new.certificate);
    assert!(!accepted(&material, &with_new, now) && accepted(&by_new, &with_new, now));
    assert_eq!(next(&with_new, true, now), None);
}

#[test]
fn whatever_is_garbled_or_missing_is_made_anew() {
    let good = fresh(start());
    let other = fresh(start());
    let garble: [fn(&mut Material, &Material); 9] = [
        |material, _| material.authorities.clear(),
        |material, _| material.authorities = b"-----BEGIN CERTIFICATE-----\ngarbled".to_vec(),
        |material, other| material.authorities = other.authorities.clone(),
        |material, _| material.authority_key.clear(),
        |material, other| material.authority_key = other.authority_key.clone(),
        |material, _| material.certificate.truncate(100),
        |material, other| material.certificate = other.certificate.clone(),
        |material, _| material.key = b"garbled".to_vec(),
        |material, other| material.key = other.key.clone(),
    ];
    for (i, garble) in garble.into_iter().enumerate() {
        let mut garbled = good.clone();
        garble(&mut garbled, &other);
        let mended = garbled.next(&good.authorities, false, start(), &terms()).unwrap();
        let mended = mended.unwrap_or_else(|| panic!("{i}: it is taken for good"));
        assert!(accepted(&mended, &mended, start()), "{i}");
        assert!(mended.key_of(&Dated::read_all(&mended.authorities, start())[0]).is_some(), "{i}");
        // Once nothing depends on what was before, it stays.
        let settled = next(&mended, true, start()).unwrap_or(mended);
        let settled = next(&settled, true, start()).unwrap_or(settled);
        assert_eq!(next(&settled, true, start()), None, "{i}");
    }
}

#[test]
fn where_the_secret_is_gone_what_is_shown_remains_trusted_for_a_while() {
    let before = fresh(start());
    let after = Material::default().next(&before.authorities, false, start(), &terms()).unwrap().unwrap();
    assert!(accepted(&before, &after, start()) && accepted(&after, &after, start()));
    let settled = next(&after, true, start()).expect("it is not needed any more");
    assert!(!accepted(&before, &settled, start()));
}

#[test]
fn what_has_expired_or_is_for_other_hosts_is_made_anew_at_once() {
    let material = fresh(start());
    let expired = later(start(), 31 * DAY);
    assert!(accepted(&next(&material, false, expired).unwrap(), &material, expired));
    let both = later(start(), 400 * DAY);
    let renewed = next(&material, false, both).unwrap();
    assert!(accepted(&renewed, &renewed, both) && !accepted(&renewed, &material, both));

    let elsewhere = Terms { hosts: vec!["other.example".to_owned()], ..terms() };
    let renewed = material.next(&[], false, start(), &elsewhere).unwrap().unwrap();
    assert_eq!(renewed.authorities, material.authorities);
    assert_ne!(renewed.certificate, material.certificate);
}

#[test]
fn no_key_is_ever_logged() {
    let material = fresh(start());
    assert_eq!(format!("{material:?}"), "Material { .. }");
}
