//! Asks for what is somebody else's: to print as the component `beside`, as core or as `init`, at its parent and at core itself,
//! or under more names of its own invention than it is to have, and for the census, devices and reports that the scenario does not give it.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use base::{
    env::slots,
    rpc::{CallError, Slot},
    session::{
        INTERFACES,
        parent::OpenError,
        pd::{ANY, OWN},
    },
};

fn construct(env: &mut base::Env) {
    let (pd, parent) = (env.pd(), env.parent());
    for name in ["beside", "core", "init", "kernel"] {
        assert_eq!(parent.open("log", name.as_bytes()), Err(OpenError::Service.into()), "{name}");
        assert!(pd.connect(OWN, ANY, 2, name).is_err(), "{name}");
        // Nor through a protection domain of its own that is called so.
        if let Ok(child) = pd.create(ANY, 64, name) {
            let _ = pd.transfer(OWN, child, 0, 4);
            assert!(pd.connect(child, slots::LOG, 2, name).is_err(), "{name}");
            while let Ok(1..) = pd.free(child) {}
        }
    }
    for (service, label) in [("census", ""), ("irq", "88"), ("io_mem", "0x020d0000"), ("report", "impostor")] {
        let open = parent.open(service, label.as_bytes());
        assert_eq!(open, Err(OpenError::Service.into()), "{service}");
        let id = INTERFACES.iter().find(|interface| interface.name.eq_ignore_ascii_case(&service.replace("_", "")));
        let id = id.map_or(0, |interface| interface.id);
        assert!(id != 0 && pd.connect(OWN, ANY, id, label).is_err(), "{service}");
    }
    // Names that it invents are not endless.
    let mut invented = 0;
    for number in 0..300 {
        if let Ok(session) = pd.connect(OWN, ANY, 2, &alloc::format!("impostor-{number}")) {
            invented += 1;
            let _ = pd.remove(OWN, session);
        }
    }
    assert!(invented <= 16, "{invented}");
    // What is its own it may have again, unless a parent stands between.
    assert!(matches!(pd.connect(OWN, ANY, 2, "impostor"), Ok(Slot(16..)) | Err(CallError::Refused)));
    log::info!("all refused");
    env.exit(0)
}
