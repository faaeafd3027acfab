#!/usr/bin/env bash
# Makes every file of the scripted meeting. Needs espeak-ng, ffmpeg (libx264, libopus), imagemagick and
# python3; nobody who only runs the project needs any of them, the files are committed.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf speech camera slides && mkdir -p speech camera slides

# --- speech: one utterance per line: file|speaker|espeak voice|pitch|milliseconds after the previous one ends|text
lines='01|16778240|en-us+f3|48|600|Good morning. Shall we look at the release?
02|33556610|en-gb+m3|38|250|Yes. Audio, video and transcripts are all in Kinesis.
03|50334980|en-gb-scotland+f4|62|300|Sorry I am late. What did I miss?
04|16778240|en-us+f3|48|200|Nothing yet. Here are the slides.
05|33556610|en-gb+m3|38|300|The first runner failed, and the second one took over.
06|50334980|en-gb-scotland+f4|62|250|And did we lose a single frame?
07|16778240|en-us+f3|48|-260|Not one. The ledger says zero.
08|33556610|en-gb+m3|38|300|Then let us ship it.'

at=0
utterances=''
while IFS='|' read -r id speaker voice pitch gap text; do
  # Trimmed of silence, faded, cut to whole 20 ms frames: 640 bytes of 16-bit mono at 16 kHz.
  espeak-ng -v "$voice" -p "$pitch" -s 165 -a 140 -w "speech/$id.wav" "$text"
  ffmpeg -nostdin -v error -y -i "speech/$id.wav" -af \
    'silenceremove=start_periods=1:start_threshold=-50dB,areverse,silenceremove=start_periods=1:start_threshold=-50dB,areverse' \
    -ar 16000 -ac 1 -f s16le "speech/$id.pcm"
  rm "speech/$id.wav"
  bytes=$(stat -c %s "speech/$id.pcm")
  truncate -s $(((bytes + 639) / 640 * 640)) "speech/$id.pcm"
  ms=$(($(stat -c %s "speech/$id.pcm") / 32))
  at=$(((at + gap) / 20 * 20))
  utterances+=$(printf '    {"userId": %s, "startMs": %s, "endMs": %s, "file": "speech/%s", "text": "%s"},\\n' \
    "$speaker" "$at" $((at + ms)) "$id" "$text")
  at=$((at + ms))
  ffmpeg -nostdin -v error -y -f s16le -ar 16000 -ac 1 -i "speech/$id.pcm" -ar 48000 -ac 2 -c:a libopus -b:a 24k \
    -frame_duration 20 -application voip -map_metadata -1 -fflags +bitexact -flags:a +bitexact "speech/$id.ogg"
done <<<"$lines"

# --- cameras: 6 s loops of H.264 Annex B, 640x360 at 15 fps, an IDR with SPS and PPS every 2 s, no B-frames,
# an access unit delimiter before every picture; and four JPGs of each for clients that ask for pictures.
camera() { # name, gradient colours, marker colour
  ffmpeg -nostdin -v error -y -f lavfi -i "gradients=s=640x360:r=15:d=6:n=3:speed=0.015:c0=$2:c1=$3:c2=$4:x0=0:y0=0:x1=640:y1=360" \
    -f lavfi -i "color=c=$5:s=90x90:r=15:d=6" \
    -filter_complex "[0][1]overlay=x='275+200*sin(2*PI*t/6)':y='135+90*cos(2*PI*t/3)',format=yuv420p" \
    -c:v libx264 -profile:v main -preset veryslow -b:v 110k -maxrate 140k -bufsize 140k -bf 0 -g 30 -keyint_min 30 \
    -sc_threshold 0 -x264-params 'aud=1:repeat-headers=1:slices=1' -bsf:v 'filter_units=remove_types=6' \
    -f h264 "camera/$1.h264"
  ffmpeg -nostdin -v error -y -i "camera/$1.h264" -vf "select='not(mod(n,22))'" -fps_mode passthrough -frames:v 4 -q:v 9 "camera/$1-%d.jpg"
}
camera ada 0x1e3a8a 0x3b82f6 0x93c5fd 0xfbbf24
camera ben 0x14532d 0x22c55e 0xbbf7d0 0xf472b6

# One second, 15 fps: the first picture white, the rest black. With a click each second it shows A/V offset.
ffmpeg -nostdin -v error -y -f lavfi -i "color=c=black:s=320x180:r=15:d=1" -vf "drawbox=c=white:t=fill:enable='eq(n,0)',format=yuv420p" \
  -c:v libx264 -profile:v main -crf 30 -bf 0 -g 15 -sc_threshold 0 -x264-params 'aud=1:repeat-headers=1:slices=1' \
  -bsf:v 'filter_units=remove_types=6' -f h264 camera/flash.h264

# --- slides: 1280x720 JPG
slide() { # number, background, title, body
  convert -size 1280x720 "xc:$2" -fill white -font DejaVu-Sans-Bold -pointsize 72 -gravity NorthWest -annotate +90+120 "$3" \
    -font DejaVu-Sans -pointsize 40 -annotate +90+270 "$4" -fill '#ffffff80' -draw "rectangle 90,230 $((200 + $1 * 220)),238" \
    -strip -quality 70 "slides/$1.jpg"
}
slide 1 '#1e293b' 'Release review' 'Zoom RTMS in, Kinesis out'
slide 2 '#0f766e' 'One frame, one path' 'webhook - queue - runner - Kinesis'
slide 3 '#7c2d12' 'A runner failed' "epoch 1  to  epoch 2\nZoom's buffer covered the gap"
slide 4 '#3730a3' 'The ledger' 'received = written + explained\nlost = 0'

printf '{\n  "utterances": [\n%b  ]\n}\n' "${utterances%,\\n}\n" > script.json
python3 - <<'PY'
import json
d = json.load(open('script.json'))
json.dump(d, open('script.json', 'w'), indent=2)
open('script.json', 'a').write('\n')
PY
du -cb speech camera slides script.json | tail -1
