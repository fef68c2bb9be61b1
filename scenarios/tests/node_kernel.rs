//! What a scenario says of a node's kernel side reaches the model: daemons outside `kubepods`, swap.

use scenarios::diag::render_plain;
use scenarios::{Request, load};
use sim_core::spec::{DaemonRole, DaemonSpec, Dist, Spec, SwapSpec};
use sim_core::units::{Bytes, SimSpan};

fn scenario(platform: &str, cluster: &str) -> String {
    format!(
        "name = \"x\"\n[cluster]\nplatform = \"{platform}\"\n[[cluster.pool]]\ncpu = 8\nmemory = \"32GiB\"\nnic = \"1GB/s\"\ncount = 4\n\
         [[cluster.pool.disk]]\nname = \"d\"\nsize = \"100GiB\"\nread = \"100MB/s\"\n{cluster}\n[job]\nprofile = \"fixed-width-parse\"\ninput = \"1GB\"\n"
    )
}

fn loaded(text: &str) -> (Option<Spec>, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("x.toml");
    std::fs::write(&path, text).expect("written");
    let (scenario, problems) = load(&Request { scenario: path.display().to_string(), ..Request::default() });
    (scenario.map(|scenario| scenario.spec), render_plain(&problems))
}

/// NO-2, unit files: −999 and 10 s for the kubelet, −999 and 5 s for the runtime, 0 and 100 ms for any other service, unless it is written.
#[test]
fn daemons_have_what_their_units_have() {
    let daemons = "[[cluster.daemon]]\nname = \"kubelet\"\nrole = \"kubelet\"\nanon = \"100MiB\"\n\
                   [[cluster.daemon]]\nname = \"containerd\"\nrole = \"runtime\"\nanon = \"80MiB\"\n\
                   [[cluster.daemon]]\nname = \"agent\"\nanon = { uniform = { low = \"1GiB\", high = \"2GiB\" } }\n\
                   [[cluster.daemon]]\nname = \"journald\"\nanon = \"50MiB\"\noom_score_adj = -250\nrestart_delay = \"0s\"\n\
                   [[cluster.daemon]]\nname = \"once\"\nanon = \"50MiB\"\nrestarts = false\n";
    let (spec, problems) = loaded(&scenario("kubernetes", daemons));
    assert_eq!(problems, "");
    let mib = |n: u64| Dist::Constant(Bytes::mib(n).as_f64());
    let one = |name: &str, anon, oom_score_adj, role, restart_ms: Option<u64>| DaemonSpec {
        name: name.into(),
        anon,
        oom_score_adj,
        role,
        restart: restart_ms.map(SimSpan::from_ms),
    };
    let between = Dist::Uniform { low: Bytes::gib(1).as_f64(), high: Bytes::gib(2).as_f64() };
    let expected = [
        one("kubelet", mib(100), -999, DaemonRole::Kubelet, Some(10_000)),
        one("containerd", mib(80), -999, DaemonRole::Runtime, Some(5_000)),
        one("agent", between, 0, DaemonRole::Service, Some(100)),
        one("journald", mib(50), -250, DaemonRole::Service, Some(0)),
        one("once", mib(50), 0, DaemonRole::Service, None),
    ];
    assert_eq!(spec.expect("it loads").cluster.daemons, expected);
}

#[test]
fn daemons_that_cannot_be_are_told() {
    let daemon = |name: &str, role: &str, rest: &str| format!("[[cluster.daemon]]\nname = \"{name}\"\nrole = \"{role}\"\nanon = \"100MiB\"\n{rest}\n");
    let (_, elsewhere) = loaded(&scenario("yarn", &daemon("kubelet", "kubelet", "")));
    assert!(elsewhere.contains("daemon kubelet has a role that only Kubernetes knows") && elsewhere.contains("x.toml:13"), "{elsewhere}");
    let (_, twice) = loaded(&scenario("kubernetes", &(daemon("dockerd", "runtime", "") + &daemon("containerd", "runtime", ""))));
    assert!(twice.contains("daemons dockerd and containerd have the same role"), "{twice}");
    let (_, away) = loaded(&scenario("kubernetes", &daemon("kubelet", "kubelet", "restarts = false")));
    assert!(away.contains("daemon kubelet would not come back, and its node with it") && away.contains("sudden = true"), "{away}");
    let (_, range) = loaded(&scenario("kubernetes", &daemon("agent", "service", "oom_score_adj = 1001")));
    assert!(range.contains("1001"), "{range}");
}

/// Without a size there is none, and a kubelet that `failSwapOn` keeps from starting is told; tmpfs is `noswap` where the kubelet mounts it.
#[test]
fn swap_is_off_until_it_has_a_size() {
    let none = SwapSpec { size: Bytes::ZERO, for_cgroups: true, limited: false, tmpfs_noswap: true };
    let of = |platform: &str, swap: &str| {
        let (spec, problems) = loaded(&scenario(platform, swap));
        (spec.map(|spec| spec.cluster.swap), problems)
    };
    assert_eq!(of("kubernetes", ""), (Some(none), String::new()));
    let on = "[cluster.swap]\nsize = \"4GiB\"\nfail_swap_on = false\nbehavior = \"LimitedSwap\"\n";
    assert_eq!(of("kubernetes", on), (Some(SwapSpec { size: Bytes::gib(4), limited: true, ..none }), String::new()));
    let elsewhere = SwapSpec { size: Bytes::gib(4), for_cgroups: false, limited: false, tmpfs_noswap: false };
    assert_eq!(of("standalone", "[cluster.swap]\nsize = \"4GiB\"\nswappiness = 0\n").0, Some(elsewhere));
    let (_, refused) = of("kubernetes", "[cluster.swap]\nsize = \"4GiB\"\n");
    assert!(refused.contains("the kubelet does not start on a node with swap") && refused.contains("cluster.swap.fail_swap_on = false"), "{refused}");
    let (spec, warned) = loaded(&scenario("kubernetes", on).replace("platform = \"kubernetes\"", "platform = \"kubernetes\"\ncgroup = \"v1\""));
    assert!(spec.is_some() && warned.contains("LimitedSwap gives no pod any swap on cgroup v1"), "{warned}");
}
