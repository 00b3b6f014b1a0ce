#[path = "../interface.rs"]
pub mod interface;

struct Between;

#[base::interposer(forward(read, write), refuse(end))]
impl Between {}

fn main() {}
