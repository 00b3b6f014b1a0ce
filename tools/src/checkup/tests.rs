use super::*;

const LOOKS: Looks = Looks { count: 20, every: 1000 };

fn scenario(text: &str) -> Scenario {
    let scenario: Scenario = toml::from_str(text).unwrap();
    assert_eq!(scenario.check(), Ok(()));
    scenario
}

const MIXED: &str = r#"
    about = "x"
    limit = 5
    [component.hello]
    ram = "2M"
    ram_max = "3M"
    routes = { greetings = "server", ticks = "driver" }
    restart = 5
    [component.server]
    priority = 120
    [component.driver]
    devices = { irq = [88], io_mem = [0x020d0000] }
    [component.family]
    priority = 150
    [component.child]
    parent = "family"
    ram = "64K"
    caps = 64
    [component.counter]
    census = true
    [component.high]
    priority = 200
    [success]
    exit = { hello = 0 }
"#;

#[test]
fn what_can_stand_under_a_parent_is_moved_there() {
    let plan = plan(&scenario(MIXED), LOOKS);
    assert_eq!(plan.looked_at, ["child", "hello", "server"]);
    let moved = plan.scenario.unwrap();
    assert_eq!(moved.check(), Ok(()));
    for name in ["child", "hello", "server"] {
        assert_eq!(moved.components[name].parent(), "check");
    }
    let check = &moved.components["check"];
    assert_eq!((check.binary("check"), check.parent(), check.priority), ("rtcr_monitor", "init", 122));
    assert_eq!(check.routes, BTreeMap::from([("ticks".into(), "driver".into())]));
    assert_eq!(check.values["checks"].text(), "20");
    assert_eq!(check.ram.0, OWN_RAM + (3 << 20) + (1 << 20) + (64 << 10));
    assert_eq!(moved.limit.micros, 71_000);
    assert_eq!(moved.components["hello"].restart, 0);
    assert!(!moved.components.contains_key("family"), "it has no children any more");
}

#[test]
fn what_cannot_is_told_why() {
    let reasons = plan(&scenario(MIXED), LOOKS).reasons;
    assert_eq!(reasons["driver"], Reason::Devices { irq: vec![88], io_mem: vec![0x020d_0000] });
    assert_eq!(reasons["family"], Reason::Parent { children: vec!["child".into()] });
    assert_eq!((&reasons["counter"], &reasons["high"]), (&Reason::Census, &Reason::Priority(200)));
    assert_eq!(reasons.len(), 4);
    let alone = scenario("about = \"x\"\n[component.d]\ndevices = { irq = [1] }\n[success]\nexit = { d = 0 }");
    assert!(plan(&alone, LOOKS).scenario.is_none());
}

#[test]
fn children_of_a_checkpointing_parent_stay() {
    let text = MIXED.replace("[component.family]", "[component.family]\nbinary = \"rtcr_monitor\"");
    let plan = plan(&scenario(&text), LOOKS);
    let moved = plan.scenario.unwrap();
    assert_eq!(moved.components["child"].parent(), "family");
    assert_eq!(moved.components["family"].values["checks"].text(), "20");
    assert!(!plan.reasons.contains_key("family") && plan.looked_at.contains(&"child".into()));
}

fn checked(component: &str, obstacles: &str, refused: &str) -> Report {
    Report::Checked { component: component.into(), obstacles: obstacles.into(), refused: refused.into() }
}

#[test]
fn findings_are_counted_and_said() {
    let loaded = Loaded { name: "x".into(), scenario: scenario(MIXED) };
    let plan = plan(&loaded.scenario, LOOKS);
    let reports = [
        checked("hello", "", ""),
        checked("hello", "its thread a serves a call from outside", ""),
        checked("hello", "", ""),
        checked("server", "it waits", ""),
        Report::Exit { component: "server".into(), code: 3 },
        checked("hello", "its thread a serves a call from outside", "Pd.create was refused 2 times"),
    ];
    let checkup = Checkup::new(&loaded, &plan, &reports);
    let expected = "\
child    was not there when it was to be looked at
counter  cannot be checkpointed: it may count what core has (`census`), which is nobody's state
driver   cannot be checkpointed: it drives a device (interrupt 88, registers at 0x020d0000), whose state is no memory that could be copied
family   cannot be checkpointed: it has children (child), and protection domains of its own are not supported
hello    can be checkpointed at 2 of 4 instants
         in the way, 2 times: its thread a serves a call from outside
         not supported, and refused: Pd.create was refused 2 times
high     cannot be checkpointed: no parent can stand above its priority 200; give it 198 at most
server   cannot be checkpointed, at none of 1 instants
         in the way, 1 times: it waits
         it exited with 3";
    assert_eq!(checkup.to_string(), expected);
    assert!(!checkup.is_good());
    let good = Finding::Looked { ready: 1, obstacles: BTreeMap::new(), refused: None, ended: None };
    assert!(good.is_good());
}
