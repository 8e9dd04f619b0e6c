//! Generates the protobuf types from `record.proto` with a compiler in pure Rust (no `protoc` to install).

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=record.proto");
    let descriptors = protox::compile(["record.proto"], ["."])?;
    prost_build::Config::new().bytes(["."]).compile_fds(descriptors)?;
    Ok(())
}
