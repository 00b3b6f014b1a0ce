#[path = "../interface.rs"]
pub mod interface;

struct Between;

#[base::interposer(forward(read), refuse(end))]
impl interface::Interposer for Between {}

fn main() {}
