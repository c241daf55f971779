// swift-tools-version: 6.2
import PackageDescription

// What the modules offer each other they don't offer to other packages. So this one has them as
// targets of its own: `Sources` is a link to the program's.

/// As in the program's own package: other settings would measure other code.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
  name: "benchmarks",
  products: [
    .executable(name: "bench", targets: ["bench"]),
    .executable(name: "launch", targets: ["launch"]),
  ],
  targets: [
    .target(name: "CSystem", cSettings: [.unsafeFlags(["-O2"])]),
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Threads", dependencies: ["CSystem"], swiftSettings: strict),
    .target(
      name: "PersistentData", dependencies: ["CSystem", "CZlib", "Threads"],
      swiftSettings: strict),
    .target(name: "MetadataXML", dependencies: ["CExpat", "Threads"], swiftSettings: strict),
    .target(
      name: "ThinMetadata", dependencies: ["PersistentData", "MetadataXML", "Threads"],
      swiftSettings: strict),
    .executableTarget(
      name: "bench", dependencies: ["PersistentData", "MetadataXML", "ThinMetadata", "Threads"],
      path: "Micro", swiftSettings: strict),
    .executableTarget(name: "launch", path: "Launch"),
  ]
)
