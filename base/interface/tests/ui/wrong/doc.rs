#[base::interface(id = 1000)]
pub trait Interface {
    #[operation(1)]
    fn silent(&mut self);
    ///
    #[operation(2)]
    fn empty(&mut self);
}

fn main() {}
