#[path = "../interface.rs"]
pub mod interface;

struct Between;

#[base::interposer(forward(read, write), refuse(read, end))]
impl interface::Interposer for Between {}

fn main() {}
