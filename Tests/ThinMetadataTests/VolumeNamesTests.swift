import Testing
import ThinMetadata

/// Names of volumes, from what LVM prints and keeps.
@Suite struct VolumeNamesTests {
  private func names(_ text: String, pool: String? = nil) throws -> [String?] {
    let names = try VolumeNames(text, pool: pool)
    return (0...3).map { names[$0] }
  }

  @Test(arguments: [
    "  LV       ThId\n  home     1   \n  pool\n  root     2   \n  [lvol0]\n",
    "  home     1   \n  pool         \n  root     2   \n", "name id\nhome 1\nroot 2",
  ])
  func `columns give them`(text: String) throws {
    #expect(try names(text) == [nil, "home", "root", nil])
  }

  @Test(arguments: ["\"1\"", "1"])
  func `a JSON report gives them`(id: String) throws {
    let text = """
      {
        "report": [
          {
            "lv": [
              {"lv_name":"pool", "thin_id":""},
              {"lv_name":"home", "thin_id":\(id), "lv_tags":["a","b"]},
              {"lv_name":"root", "thin_id":"2"}
            ]
          }
        ]
      }
      """
    #expect(try names(text) == [nil, "home", "root", nil])
    for cut in [1, 20, text.utf8.count / 2, text.utf8.count - 1] {
      #expect(throws: VolumeNames.Failure.unknownForm) { try names(String(text.prefix(cut))) }
    }
  }

  @Test func `escapes in a report are undone, and half a character is none`() throws {
    let escapes = [
      #"h\u006fme"#: "home", #"a\"b"#: "a\"b", #"a\\b"#: "a\\b", #"a\/b"#: "a/b",
      #"\b\f\n\r\t"#: "\u{8}\u{C}\n\r\t", #"\u00E9\u00e9"#: "\u{E9}\u{E9}",
      #"\ud83d\ude00"#: "\u{1F600}", #"\uFFFF"#: "\u{FFFF}", #"\u0000"#: "\0",
    ]
    for (text, name) in escapes {
      let report = #"{"lv_name":"\#(text)", "thin_id":"1"}"#
      #expect(try VolumeNames(report)[1]?.unicodeScalars.elementsEqual(name.unicodeScalars) == true)
    }
    let wrong = [
      #"\x"#, #"\u12"#, #"\u12g4"#, #"\ud83d"#, #"\ud83dx"#, #"\ud83d\u0041"#, #"\ude00"#,
    ]
    for text in wrong {
      let report = #"{"lv_name":"\#(text)", "thin_id":"1"}"#
      #expect(throws: VolumeNames.Failure.unknownForm, "\(text)") { try VolumeNames(report) }
    }
  }

  private static let group = """
    contents = "Text Format Volume Group"
    vg0 {
    	id = "x"
    	physical_volumes {
    		pv0 {
    			device = "/dev/vda"	# Hint only
    		}
    	}
    	logical_volumes {
    		data {
    			segment1 {
    				type = "thin-pool"
    				metadata = "data_tmeta"
    				chunk_size = 128	# 64 Kilobytes
    			}
    		}
    		home {
    			segment_count = 1
    			segment1 {
    				type = "thin"
    				thin_pool = "data"
    				transaction_id = 0
    				device_id = 1
    			}
    		}
    		root {
    			segment1 {
    				type = "thin"
    				thin_pool = "data"
    				device_id = 2
    			}
    		}
    	}
    }
    """

  @Test func `the metadata of a volume group gives them`() throws {
    #expect(try names(Self.group) == [nil, "home", "root", nil])
    #expect(try names(Self.group, pool: "data") == [nil, "home", "root", nil])
    #expect(try VolumeNames(Self.group).id(of: "root") == 2)
  }

  @Test func `of several pools one has to be chosen`() throws {
    let text = Self.group.replacing(
      "thin_pool = \"data\"\n\t\t\t\tdevice_id = 2",
      with: """
        thin_pool = "other"
        device_id = 1
        """)
    #expect(throws: VolumeNames.Failure.pools(["data", "other"])) { try names(text) }
    #expect(throws: VolumeNames.Failure.pools(["data", "other"])) { try names(text, pool: "x") }
    #expect(try names(text, pool: "data") == [nil, "home", nil, nil])
    #expect(try names(text, pool: "other") == [nil, "root", nil, nil])
  }

  @Test func `what names a device twice, or nothing, is refused`() throws {
    #expect(throws: VolumeNames.Failure.ambiguous(id: 1, one: "a", other: "b")) {
      try names("a 1\nb 1\n")
    }
    #expect(throws: VolumeNames.Failure.noVolumes) { try names("pool\n") }
    #expect(throws: VolumeNames.Failure.noVolumes) { try names("") }
    #expect(throws: VolumeNames.Failure.noVolumes) { try names("{}") }
    #expect(throws: VolumeNames.Failure.unknownForm) { try names("a 1\nwhat is this\n") }
    #expect(throws: VolumeNames.Failure.unknownForm) { try names("{\"a\": }") }
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: VolumeNames.Failure.unknownForm) { try names("{\"a\": \(deep)") }
  }
}
