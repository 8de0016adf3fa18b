//! Nothing to do. A build script may have dependencies, and these are what this one is for: see `Cargo.toml`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
