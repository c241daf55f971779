// swift-tools-version: 6.2
import PackageDescription

/// `STATIC=1` links the program fully static: it then runs from any initramfs and any distribution.
let fullyStatic = Context.environment["STATIC"] == "1"

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // A view over the bytes of a block may not outlive them. Saying so for the methods of a
  // `~Escapable` type needs this flag on Swift 6.3; it changes no code that is generated.
  .enableExperimentalFeature("Lifetimes"),
]

/// Tests use Foundation and may read damaged bytes freely, so strict memory safety stays off there.
let tests: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
  name: "dm-metadata-toolkit",
  products: [.executable(name: "dmmeta", targets: ["dmmeta"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
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
    .target(
      name: "CacheMetadata", dependencies: ["PersistentData", "MetadataXML", "Threads"],
      swiftSettings: strict),
    .target(
      name: "EraMetadata", dependencies: ["PersistentData", "MetadataXML", "Threads"],
      swiftSettings: strict),
    .target(
      name: "Commands",
      dependencies: [
        "PersistentData", "MetadataXML", "ThinMetadata", "CacheMetadata", "EraMetadata", "Threads",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "dmmeta", dependencies: ["Commands"], swiftSettings: strict,
      linkerSettings: fullyStatic ? [.unsafeFlags(["-static-executable"])] : []),
    // Fixtures, temporary files and a shell, for all tests.
    .target(
      name: "TestSupport", dependencies: ["PersistentData"], path: "Tests/TestSupport",
      swiftSettings: tests),
    .testTarget(
      name: "PersistentDataTests", dependencies: ["PersistentData", "Threads", "TestSupport"],
      swiftSettings: tests),
    .testTarget(name: "MetadataXMLTests", dependencies: ["MetadataXML"], swiftSettings: tests),
    .testTarget(
      name: "ThinMetadataTests", dependencies: ["dmmeta", "ThinMetadata", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "CacheMetadataTests", dependencies: ["CacheMetadata", "PersistentData", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "EraMetadataTests", dependencies: ["EraMetadata", "PersistentData", "TestSupport"],
      swiftSettings: tests),
    // The tests run the real program, so it has to be built before them.
    .testTarget(
      name: "CommandTests", dependencies: ["dmmeta", "Commands", "PersistentData", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "TidyTests", dependencies: ["PersistentData", "TestSupport"], swiftSettings: tests),
  ]
)
