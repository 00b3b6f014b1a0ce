#[path = "../interface.rs"]
pub mod interface;

struct Between;

#[base::interposer(forward(read, write), ignore(end))]
impl interface::Interposer for Between {}

fn main() {}
