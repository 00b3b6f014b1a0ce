//! Returns from `construct`, so that nothing happens any more.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(_: &mut base::Env) {
    log::info!("nothing more to do");
}
