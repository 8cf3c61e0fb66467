//! What a plan says that its apply takes.

use arcflux::plan::{Estimate, Plan};
use arcflux::spec::Desired;
use arcflux::view::{self, Format, Style};

use crate::world::{self, bare, converged, quickstart};

/// The quickstart on so many clusters.
fn fleet(clusters: usize) -> Desired {
    let mut desired = quickstart();
    let one = desired.clusters[0].clone();
    desired.clusters = (0..clusters)
        .map(|number| {
            let mut cluster = one.clone();
            cluster.cluster.name = format!("store-{number:04}");
            cluster
        })
        .collect();
    desired
}

fn created(desired: &Desired) -> Plan {
    world::plan(desired, &bare(desired), &world::options())
}

#[test]
fn the_longest_chain_is_what_one_cluster_takes() {
    let plan = created(&quickstart());
    // A registration, then the extension until it is provisioned, then the configuration until Flux is done with it.
    let expected = Estimate { seconds: 30 + 90 + 110, throttled_seconds: 0, reads: 6, writes: 3, deletes: 0 };
    assert_eq!(plan.estimate, Some(expected));
    let text = view::plan::render(&plan, Format::Text, &Style { colour: false, width: 100 });
    assert!(text.contains("\nAn apply takes about 4 min and sends at least 3 writes and 6 reads.\nDigest"), "{text}");
}

#[test]
fn clusters_do_not_wait_for_each_other_and_configurations_of_one_do() {
    let length = |desired: &Desired| created(desired).estimate.unwrap().seconds;
    assert_eq!(length(&fleet(10)), length(&quickstart()));
    let mut two = quickstart();
    let configurations = &mut two.clusters[0].configurations;
    let another = configurations["flux-system"].clone();
    configurations.insert("second".to_owned(), another);
    // The second is written when the first is provisioned.
    assert_eq!(length(&two), length(&quickstart()) + 60);
}

#[test]
fn a_large_fleet_takes_as_long_as_arm_takes_for_its_requests() {
    let estimate = created(&fleet(500)).estimate.unwrap();
    assert_eq!((estimate.writes, estimate.deletes), (1001, 0));
    // After the registration the extensions go: 200 at once, 300 at ten a second. The configurations follow 90 s later, at
    // the same pace, because as many tokens have come back; Flux takes 110 s.
    let (registered, last_extension) = (30, (500 - 200) / 10);
    assert_eq!(estimate.seconds, registered + last_extension + 90 + 110, "{estimate:?}");
    assert_eq!(estimate.throttled_seconds, last_extension);
}

#[test]
fn where_there_is_nothing_to_do_there_is_no_estimate() {
    let desired = quickstart();
    let plan = world::plan(&desired, &converged(&desired), &world::options());
    assert_eq!(plan.estimate, None);
    assert!(!view::plan::render(&plan, Format::Text, &Style { colour: false, width: 100 }).contains("takes about"));
}

#[test]
fn the_digest_does_not_hold_the_estimate() {
    let plan = created(&quickstart());
    let other = Plan { estimate: None, ..plan.clone() };
    assert_eq!(other.computed_digest(), plan.digest);
}
